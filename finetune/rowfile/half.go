package rowfile

import (
	"encoding/binary"
	"math"
)

// maxHalf is the largest number of IEEE 754 half precision.
const maxHalf = 65504

// beyondHalf returns the first number of a row that rounds to no finite half, -1 where there is none.
func beyondHalf(row []float32) int {
	for j, v := range row {
		if !(v < maxHalf+16 && v > -maxHalf-16) {
			return j
		}
	}
	return -1
}

// FitsHalf tells whether all numbers of a row have a finite half precision.
func FitsHalf(row []float32) bool { return beyondHalf(row) < 0 }

// AppendHalf appends a row's numbers in half precision, little-endian, rounded to nearest, ties to even.
func AppendHalf(to []byte, row []float32) []byte {
	for _, v := range row {
		to = binary.LittleEndian.AppendUint16(to, half(v))
	}
	return to
}

// FromHalf fills row with the numbers that AppendHalf wrote.
func FromHalf(row []float32, from []byte) {
	for j := range row {
		row[j] = single(binary.LittleEndian.Uint16(from[2*j:]))
	}
}

// half rounds to IEEE 754 binary16, ties to even.
func half(v float32) uint16 {
	b := math.Float32bits(v)
	sign := uint16(b >> 16 & 0x8000)
	switch b &= 0x7fffffff; {
	case b > 0x7f800000:
		return sign | 0x7e00
	case b >= 0x477ff000: // 65520 and above
		return sign | 0x7c00
	case b < 0x38800000: // below 2⁻¹⁴ halves are multiples of 2⁻²⁴
		return sign | uint16(math.RoundToEven(float64(math.Float32frombits(b))*(1<<24)))
	}
	b += 0xfff + b>>13&1
	return sign | uint16((b-0x38000000)>>13)
}

// single is the number of a binary16, exactly.
func single(h uint16) float32 {
	sign := uint32(h&0x8000) << 16
	exponent, fraction := uint32(h>>10&0x1f), uint32(h&0x3ff)
	switch exponent {
	case 0:
		v := float32(fraction) / (1 << 24)
		return math.Float32frombits(math.Float32bits(v) | sign)
	case 0x1f:
		return math.Float32frombits(sign | 0x7f800000 | fraction<<13)
	}
	return math.Float32frombits(sign | (exponent+112)<<23 | fraction<<13)
}
