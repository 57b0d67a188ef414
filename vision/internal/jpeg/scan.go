package jpeg

import "fmt"

// A scan is one pass over some of the components (T.81, B.2.3).
type scan struct {
	comps  [4]*component
	n      int
	ss, se int // the coefficients it holds
	ah, al uint
	eobrun int
}

// maxScans is more than any encoder writes: a scan of a few bytes can make a decoder pass over the whole picture.
const maxScans = 200

// sos reads a scan header and the scan after it, which starts at pos; it returns where the scan ends.
func (d *Decoder) sos(seg []byte, pos int) (int, error) {
	switch d.scans++; {
	case d.n == 0:
		return 0, malformed("scan before frame")
	case d.scans > maxScans:
		return 0, malformed("too many scans")
	}
	if err := d.scanHeader(seg); err != nil {
		return 0, err
	}
	if !d.begun {
		d.begun = true
		if err := d.reserve(d.need, len(d.in.data)-pos); err != nil {
			return 0, err
		}
	}
	for _, c := range d.scan.comps[:d.scan.n] {
		if !c.hasQuant {
			if !d.hasQuant[c.table] {
				return 0, malformed(fmt.Sprintf("component %d: no quantisation table %d", c.id, c.table))
			}
			c.quant, c.hasQuant = d.quant[c.table], true
		}
		c.seen = c.seen || d.scan.ss == 0
	}
	d.in.start(pos)
	if err := d.walk(); err != nil {
		return 0, err
	}
	return d.in.pos, nil
}

func (d *Decoder) scanHeader(seg []byte) error {
	if len(seg) < 1 || len(seg) < 4+2*int(seg[0]) || seg[0] < 1 || int(seg[0]) > d.n {
		return malformed("scan header")
	}
	s := &d.scan
	*s = scan{n: int(seg[0])}
	blocks := 0
	for i := range s.n {
		id, t := seg[1+2*i], seg[2+2*i]
		for j := range d.n {
			if d.comps[j].id == id && s.comps[i] == nil {
				s.comps[i] = &d.comps[j]
			}
		}
		c := s.comps[i]
		if c == nil || t>>4 > 3 || t&15 > 3 {
			return malformed(fmt.Sprintf("scan of component %d", id))
		}
		for _, before := range s.comps[:i] {
			if before == c {
				return malformed(fmt.Sprintf("scan with component %d twice", id))
			}
		}
		c.dc, c.ac = int(t>>4), int(t&15)
		blocks += c.h * c.v
	}
	if s.n > 1 && blocks > 10 {
		return malformed(fmt.Sprintf("%d blocks in an MCU", blocks))
	}
	seg = seg[1+2*s.n:]
	s.ss, s.se, s.ah, s.al = int(seg[0]), int(seg[1]), uint(seg[2]>>4), uint(seg[2]&15)
	if !d.progressive {
		s.ss, s.se, s.ah, s.al = 0, 63, 0, 0
	} else if s.ss > s.se || s.se > 63 || s.al > 13 || s.ah > 13 || s.ah != 0 && s.ah != s.al+1 ||
		(s.ss == 0) != (s.se == 0) || s.ss > 0 && s.n > 1 {
		return malformed(fmt.Sprintf("progressive scan of coefficients %d to %d, bits %d to %d", s.ss, s.se, s.ah, s.al))
	}
	return d.haveTables()
}

// haveTables reports a missing Huffman table of the scan.
func (d *Decoder) haveTables() error {
	s := &d.scan
	for _, c := range s.comps[:s.n] {
		if s.ss == 0 && s.ah == 0 && !d.tables[0][c.dc].known || s.se > 0 && !d.tables[1][c.ac].known {
			return malformed(fmt.Sprintf("component %d: no Huffman table", c.id))
		}
	}
	return nil
}

// walk goes through the MCUs of the scan.
func (d *Decoder) walk() error {
	s := &d.scan
	across, down := d.mcusX, d.mcusY
	if s.n == 1 { // one component alone: an MCU is one of its own blocks
		across, down = s.comps[0].bw, s.comps[0].bh
	}
	for i := range s.n {
		s.comps[i].prediction = 0
	}
	left := d.interval
	restart := byte(0)
	for y := range down {
		for x := range across {
			if d.interval > 0 && left == 0 {
				if err := d.restart(restart); err != nil {
					return err
				}
				restart, left = (restart+1)&7, d.interval
			}
			left--
			if !d.mcu(x, y) {
				return malformed(fmt.Sprintf("bad code in the picture's data, block row %d", y))
			}
			if d.in.past() {
				return malformed("the picture's data end early")
			}
		}
	}
	return nil
}

// restart steps over the restart marker i and starts afresh.
func (d *Decoder) restart(i byte) error {
	p := d.in.pos
	data := d.in.data
	for p+1 < len(data) && (data[p] != 0xff || data[p+1] == 0xff || data[p+1] == 0) {
		p++
	}
	if p+1 >= len(data) || data[p+1] != 0xd0+i {
		return malformed(fmt.Sprintf("restart marker %d is missing", i))
	}
	d.in.start(p + 2)
	d.scan.eobrun = 0
	for _, c := range d.scan.comps[:d.scan.n] {
		c.prediction = 0
	}
	return nil
}

// mcu decodes one MCU.
func (d *Decoder) mcu(x, y int) bool {
	s := &d.scan
	if s.n == 1 {
		return d.one(s.comps[0], x, y)
	}
	for _, c := range s.comps[:s.n] {
		for v := range c.v {
			for h := range c.h {
				if !d.one(c, x*c.h+h, y*c.v+v) {
					return false
				}
			}
		}
	}
	return true
}

// one decodes block x, y of c.
func (d *Decoder) one(c *component, x, y int) bool {
	if !d.progressive {
		out := c.block(x, y)
		if out == nil {
			return d.skip(c)
		}
		return d.sequential(c, out)
	}
	b := c.coeffs[64*(y*c.stride+x):][:64:64]
	switch s := &d.scan; {
	case s.ss == 0 && s.ah == 0:
		return d.dcFirst(c, b)
	case s.ss == 0:
		if d.in.bit() {
			b[0] |= 1 << s.al
		}
		return true
	case s.ah == 0:
		return d.acFirst(c, b)
	}
	return d.acRefine(c, b)
}

// difference reads a DC coefficient's difference from the one before.
func (d *Decoder) difference(c *component) (int32, bool) {
	if d.in.n < 32 {
		d.in.fill()
	}
	size, ok := d.in.symbol(&d.tables[0][c.dc])
	if !ok || size > 15 {
		return 0, false
	}
	if size == 0 {
		return 0, true
	}
	return int32(extend(d.in.take(int(size)), int(size))), true
}

// sequential decodes a whole block and writes its samples to out.
func (d *Decoder) sequential(c *component, out []byte) bool {
	diff, ok := d.difference(c)
	if !ok {
		return false
	}
	c.prediction += diff
	stride := 8 * c.need.Dx()
	ac := &d.tables[1][c.ac]
	in := &d.in
	b := &d.block
	last := 0
	for k := 1; k < 64; {
		if in.n < 32 {
			in.fill()
		}
		if f := ac.fast[in.acc>>(64-lookBits)]; f != 0 {
			k += int(f >> 4 & 15)
			at := zigzag[k]
			k++
			in.drop(int(f & 15))
			if last == 0 {
				clear(b[:])
			}
			last = k
			b[at] = int32(f>>8) * c.quant[at]
			continue
		}
		rs, ok := in.symbol(ac)
		if !ok {
			return false
		}
		run, size := int(rs>>4), int(rs&15)
		if size == 0 {
			if run != 15 {
				break
			}
			k += 16
			continue
		}
		k += run
		at := zigzag[k]
		k++
		if last == 0 {
			clear(b[:])
		}
		last = k
		b[at] = int32(extend(in.take(size), size)) * c.quant[at]
	}
	dc := c.prediction * c.quant[0]
	if last == 0 {
		flat(dc, out, stride)
		return true
	}
	b[0] = dc
	inverse(b, out, stride)
	return true
}

// skip decodes a block nobody needs.
func (d *Decoder) skip(c *component) bool {
	diff, ok := d.difference(c)
	if !ok {
		return false
	}
	c.prediction += diff
	ac := &d.tables[1][c.ac]
	in := &d.in
	for k := 1; k < 64; {
		if in.n < 32 {
			in.fill()
		}
		if f := ac.fast[in.acc>>(64-lookBits)]; f != 0 {
			k += int(f>>4&15) + 1
			in.drop(int(f & 15))
			continue
		}
		rs, ok := in.symbol(ac)
		if !ok {
			return false
		}
		run, size := int(rs>>4), int(rs&15)
		if size == 0 && run != 15 {
			break
		}
		k += run + 1
		in.drop(size)
	}
	return true
}
