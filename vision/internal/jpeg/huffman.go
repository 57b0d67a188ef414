package jpeg

// lookBits is how many bits of a code are looked up at once.
const lookBits = 9

// A huffman table decodes one kind of symbol (ITU-T T.81, annex C and F.2.2.3).
type huffman struct {
	known bool
	// look gives, for the next lookBits bits, the symbol and the length of its code: symbol<<8 | length, 0 where the code
	// is longer.
	look [1 << lookBits]uint16
	// fast gives, for tables of AC coefficients, a whole coefficient whose code and value fit in lookBits together:
	// value<<8 | zeros before it<<4 | bits, or 0.
	fast    [1 << lookBits]int16
	symbols [256]byte
	most    [18]int32 // the largest code of each length, left-aligned to 16 bits, plus one; most[17] ends the search
	offset  [17]int32 // the symbol's index is the code plus this
}

// build fills t for the codes of the lengths counts[1…16] in order. It reports whether they form a code.
func (t *huffman) build(counts *[17]int, symbols []byte) bool {
	*t = huffman{known: true}
	copy(t.symbols[:], symbols)
	code, k := 0, 0
	for n := 1; n <= 16; n++ {
		t.offset[n] = int32(k - code)
		for range counts[n] {
			if code >= 1<<n {
				return false
			}
			if n <= lookBits {
				from := code << (lookBits - n)
				for i := range 1 << (lookBits - n) {
					t.look[from+i] = uint16(t.symbols[k])<<8 | uint16(n)
				}
			}
			code++
			k++
		}
		t.most[n] = int32(code) << (16 - n)
		code <<= 1
	}
	t.most[17] = 1 << 30
	t.accelerate()
	return true
}

// accelerate fills fast.
func (t *huffman) accelerate() {
	for i, e := range t.look {
		length, run, size := int(e&255), int(e>>12), int(e>>8&15)
		if length == 0 || size == 0 || length+size > lookBits {
			continue
		}
		v := i >> (lookBits - length - size) & (1<<size - 1)
		v = extend(v, size)
		if v >= -128 && v <= 127 {
			t.fast[i] = int16(v<<8 | run<<4 | (length + size))
		}
	}
}

// extend turns the size bits v into the number they stand for (T.81, figure F.12).
func extend(v, size int) int {
	if v < 1<<(size-1) {
		v += -1<<size + 1
	}
	return v
}

// bits reads entropy-coded data: bytes in which 0xFF is followed by a stuffed 0, up to the next marker.
type bits struct {
	data []byte
	pos  int    // the next byte; stays at a marker's 0xFF
	acc  uint64 // bits read ahead, the next one highest
	n    int    // how many they are
	fake int    // how many of those are zeros standing for what lies after the end
}

// start begins reading at pos.
func (r *bits) start(pos int) { r.pos, r.acc, r.n, r.fake = pos, 0, 0, 0 }

// fill makes at least 48 bits ready.
func (r *bits) fill() {
	if r.pos+8 <= len(r.data) {
		p := r.data[r.pos : r.pos+8 : r.pos+8]
		v := uint64(p[0])<<56 | uint64(p[1])<<48 | uint64(p[2])<<40 | uint64(p[3])<<32 |
			uint64(p[4])<<24 | uint64(p[5])<<16 | uint64(p[6])<<8 | uint64(p[7])
		if inv := ^v; (inv-0x0101010101010101)&^inv&0x8080808080808080 == 0 { // no byte is 0xFF
			k := (64 - r.n) >> 3
			r.acc |= v >> r.n
			r.n += 8 * k
			r.pos += k
			r.acc &= ^uint64(0) << (64 - r.n)
			return
		}
	}
	for r.n <= 56 {
		var b byte
		switch {
		case r.pos >= len(r.data):
			r.fake += 8
		case r.data[r.pos] != 0xff:
			b = r.data[r.pos]
			r.pos++
		case r.pos+1 < len(r.data) && r.data[r.pos+1] == 0:
			b = 0xff
			r.pos += 2
		default:
			r.fake += 8
		}
		r.acc |= uint64(b) << (56 - r.n)
		r.n += 8
	}
}

// past reports whether more bits were used than there are.
func (r *bits) past() bool { return r.fake > r.n }

// drop uses up k bits.
func (r *bits) drop(k int) { r.acc <<= k; r.n -= k }

// take reads the next k bits, 1 to 16; they must be ready.
func (r *bits) take(k int) int {
	v := int(r.acc >> (64 - k))
	r.drop(k)
	return v
}

// bit reads one bit, filling as needed.
func (r *bits) bit() bool {
	if r.n == 0 {
		r.fill()
	}
	b := int64(r.acc) < 0
	r.drop(1)
	return b
}

// symbol reads the next symbol; 16 bits must be ready. A code that is none gives symbol 0 and false.
func (r *bits) symbol(t *huffman) (byte, bool) {
	if e := t.look[r.acc>>(64-lookBits)]; e != 0 {
		r.drop(int(e & 255))
		return byte(e >> 8), true
	}
	code := int32(r.acc >> 48)
	n := lookBits + 1
	for code >= t.most[n] {
		n++
	}
	if n > 16 {
		return 0, false
	}
	i := code>>(16-n) + t.offset[n]
	r.drop(n)
	if i < 0 || i > 255 {
		return 0, false
	}
	return t.symbols[i], true
}
