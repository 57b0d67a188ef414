package metrics

import (
	"fmt"
	"math"
)

// Figure writes a metric, or a number in any unit, for people: with four decimals, or where these would say nothing, or more
// than float32 knows, with as many digits.
func Figure(v float64) string {
	switch size := math.Abs(v); {
	case size >= 1e6:
		return fmt.Sprintf("%.7g", v)
	case size > 0 && size < 1e-3:
		return fmt.Sprintf("%.4g", v)
	}
	return fmt.Sprintf("%.4f", v)
}
