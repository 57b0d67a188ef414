package text

import (
	"fmt"
	"math"
	"strings"
)

// score reads a JSON number the way the reference's parser does, which rounds differently from strconv in the last place:
// the digits as an integer, multiplied or divided by one power of ten. Ties between cuts hang on it.
func score(s string) (float64, error) {
	var digits uint64
	exponent, i, n := 0, 0, 0
	s = strings.TrimSpace(s)
	negative := strings.HasPrefix(s, "-")
	if negative {
		i++
	}
	point := false
	for ; i < len(s) && (s[i] >= '0' && s[i] <= '9' || s[i] == '.' && !point); i++ {
		if s[i] == '.' {
			point = true
			continue
		}
		n++
		d := uint64(s[i] - '0')
		switch fits := digits < math.MaxUint64/10 || digits == math.MaxUint64/10 && d <= math.MaxUint64%10; {
		case fits:
			digits = digits*10 + d
			if point {
				exponent--
			}
		case !point:
			exponent++
		default:
			i = skipDigits(s, i) - 1
		}
	}
	if i < len(s) && (s[i] == 'e' || s[i] == 'E') && n > 0 {
		var e int
		if _, err := fmt.Sscanf(s[i+1:], "%d", &e); err != nil {
			return 0, fmt.Errorf("%q is not a score", s)
		}
		exponent += max(min(e, 1000), -1000)
		i = len(s)
	}
	if n == 0 || i < len(s) {
		return 0, fmt.Errorf("%q is not a score", s)
	}
	f := float64(digits)
	if digits == 0 {
		exponent = 0
	}
	for exponent < -308 {
		f /= 1e308
		exponent += 308
	}
	if exponent < 0 {
		f /= math.Pow10(-exponent)
	} else {
		f *= math.Pow10(exponent)
	}
	if math.IsInf(f, 0) {
		return 0, fmt.Errorf("%q is too large for a score", s)
	}
	if negative {
		f = -f
	}
	return f, nil
}

func skipDigits(s string, i int) int {
	for i < len(s) && s[i] >= '0' && s[i] <= '9' {
		i++
	}
	return i
}
