package jpeg

// The inverse cosine transform is libjpeg's accurate integer one ("islow"), after Loeffler, Ligtenberg and Moschytz,
// "Practical fast 1-D DCT algorithms with 11 multiplications" (ICASSP 1989): two passes in fixed point with 13 fractional
// bits, 2 of them kept between the passes. The rounding of each step is part of the answer, so it is followed exactly.
const (
	fracBits = 13
	passBits = 2

	fix0298 = 2446  // √2·(−c1+c3+c5−c7), times 2¹³
	fix0390 = 3196  // √2·(c3−c5)
	fix0541 = 4433  // √2·c6
	fix0765 = 6270  // √2·(c2−c6)
	fix0899 = 7373  // √2·(c3−c7)
	fix1175 = 9633  // √2·c3
	fix1501 = 12299 // √2·(c1+c3−c5−c7)
	fix1847 = 15137 // √2·(c2+c6)
	fix1961 = 16069 // √2·(c3+c5)
	fix2053 = 16819 // √2·(c1+c3−c5+c7)
	fix2562 = 20995 // √2·(c1+c3)
	fix3072 = 25172 // √2·(c1+c3+c5−c7)
)

// inverse writes the 8×8 samples of the dequantised coefficients b (row-major, destroyed) to out, whose rows are stride
// apart.
func inverse(b *[64]int32, out []byte, stride int) {
	const down = fracBits - passBits
	const half = 1 << (down - 1)
	for x := range 8 {
		c := b[x : x+57 : x+57]
		if c[8]|c[16]|c[24]|c[32]|c[40]|c[48]|c[56] == 0 {
			v := c[0] << passBits
			c[0], c[8], c[16], c[24], c[32], c[40], c[48], c[56] = v, v, v, v, v, v, v, v
			continue
		}
		e0, e1, e2, e3 := even(c[0], c[16], c[32], c[48])
		o0, o1, o2, o3 := odd(c[8], c[24], c[40], c[56])
		c[0] = (e0 + o3 + half) >> down
		c[56] = (e0 - o3 + half) >> down
		c[8] = (e1 + o2 + half) >> down
		c[48] = (e1 - o2 + half) >> down
		c[16] = (e2 + o1 + half) >> down
		c[40] = (e2 - o1 + half) >> down
		c[24] = (e3 + o0 + half) >> down
		c[32] = (e3 - o0 + half) >> down
	}
	inverseRows(b, out, stride)
}

// inverseRows is the second pass.
func inverseRows(b *[64]int32, out []byte, stride int) {
	const down = fracBits + passBits + 3
	const bias = 1<<(down-1) + 128<<down // to the nearest, and samples are around 128
	for y := range 8 {
		r := b[8*y : 8*y+8 : 8*y+8]
		o := out[y*stride:][:8:8]
		if r[1]|r[2]|r[3]|r[4]|r[5]|r[6]|r[7] == 0 {
			v := clamp((r[0] + (128 << (passBits + 3)) + 1<<(passBits+2)) >> (passBits + 3))
			o[0], o[1], o[2], o[3], o[4], o[5], o[6], o[7] = v, v, v, v, v, v, v, v
			continue
		}
		e0, e1, e2, e3 := even(r[0], r[2], r[4], r[6])
		o0, o1, o2, o3 := odd(r[1], r[3], r[5], r[7])
		o[0] = clamp((e0 + o3 + bias) >> down)
		o[7] = clamp((e0 - o3 + bias) >> down)
		o[1] = clamp((e1 + o2 + bias) >> down)
		o[6] = clamp((e1 - o2 + bias) >> down)
		o[2] = clamp((e2 + o1 + bias) >> down)
		o[5] = clamp((e2 - o1 + bias) >> down)
		o[3] = clamp((e3 + o0 + bias) >> down)
		o[4] = clamp((e3 - o0 + bias) >> down)
	}
}

// flat is inverse for a block whose only coefficient is dc.
func flat(dc int32, out []byte, stride int) {
	v := clamp((dc<<passBits + 128<<(passBits+3) + 1<<(passBits+2)) >> (passBits + 3))
	for y := range 8 {
		o := out[y*stride:][:8:8]
		o[0], o[1], o[2], o[3], o[4], o[5], o[6], o[7] = v, v, v, v, v, v, v, v
	}
}

// even is the butterfly of the coefficients 0, 2, 4, 6.
func even(c0, c2, c4, c6 int32) (int32, int32, int32, int32) {
	z := (c2 + c6) * fix0541
	a, b := z-c6*fix1847, z+c2*fix0765
	p, m := (c0+c4)<<fracBits, (c0-c4)<<fracBits
	return p + b, m + a, m - a, p - b
}

// odd is that of the coefficients 1, 3, 5, 7.
func odd(c1, c3, c5, c7 int32) (int32, int32, int32, int32) {
	z5 := (c7 + c3 + c5 + c1) * fix1175
	z3, z4 := z5-(c7+c3)*fix1961, z5-(c5+c1)*fix0390
	z1, z2 := (c7+c1)*fix0899, (c5+c3)*fix2562
	return c7*fix0298 - z1 + z3, c5*fix2053 - z2 + z4, c3*fix3072 - z2 + z3, c1*fix1501 - z1 + z4
}

func clamp(v int32) byte {
	if uint32(v) > 255 {
		return byte(^v >> 31) // 0 below, 255 above
	}
	return byte(v)
}
