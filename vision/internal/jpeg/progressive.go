package jpeg

// dcFirst decodes the high bits of a DC coefficient (T.81, G.1.2.1).
func (d *Decoder) dcFirst(c *component, b []int16) bool {
	diff, ok := d.difference(c)
	if !ok {
		return false
	}
	c.prediction += diff
	b[0] = int16(c.prediction << d.scan.al)
	return true
}

// acFirst decodes the high bits of AC coefficients (G.1.2.2).
func (d *Decoder) acFirst(c *component, b []int16) bool {
	s, in := &d.scan, &d.in
	if s.eobrun > 0 {
		s.eobrun--
		return true
	}
	ac := &d.tables[1][c.ac]
	for k := s.ss; k <= s.se; {
		if in.n < 32 {
			in.fill()
		}
		rs, ok := in.symbol(ac)
		if !ok {
			return false
		}
		run, size := int(rs>>4), int(rs&15)
		if size == 0 {
			if run < 15 {
				s.eobrun = in.run(run) - 1
				break
			}
			k += 16
			continue
		}
		k += run
		b[zigzag[k]] = int16(extend(in.take(size), size) << s.al)
		k++
	}
	return true
}

// run reads the length of a run of blocks without further coefficients: 2ⁿ and n more bits.
func (r *bits) run(n int) int {
	if n == 0 {
		return 1
	}
	return 1<<n + r.take(n)
}

// acRefine decodes one more bit of AC coefficients (G.1.2.3).
func (d *Decoder) acRefine(c *component, b []int16) bool {
	s, in := &d.scan, &d.in
	k := s.ss
	if s.eobrun == 0 {
		ac := &d.tables[1][c.ac]
		for k <= s.se {
			if in.n < 32 {
				in.fill()
			}
			rs, ok := in.symbol(ac)
			if !ok {
				return false
			}
			run, size := int(rs>>4), int(rs&15)
			var fresh int16
			switch {
			case size == 0 && run < 15:
				s.eobrun = in.run(run)
			case size == 1:
				fresh = -1 << s.al
				if in.bit() {
					fresh = 1 << s.al
				}
			case size > 1:
				return false
			}
			if s.eobrun > 0 {
				break
			}
			k = d.refine(b, k, run)
			if fresh != 0 && k <= s.se {
				b[zigzag[k]] = fresh
			}
			k++
		}
	}
	if s.eobrun > 0 {
		d.refine(b, k, 64)
		s.eobrun--
	}
	return true
}

// refine reads a bit for each coefficient from k on that is not zero, up to and including the end of zeros more than run;
// it returns where it stopped: at the zero after the run, or past the scan's last coefficient.
func (d *Decoder) refine(b []int16, k, run int) int {
	in, end := &d.in, d.scan.se
	bit := int16(1) << d.scan.al
	block := (*[64]int16)(b)
	for ; k <= end; k++ {
		v := &block[zigzag[k]&63]
		if *v == 0 {
			if run == 0 {
				break
			}
			run--
			continue
		}
		if in.n == 0 {
			in.fill()
		}
		if int64(in.acc) < 0 && *v&bit == 0 {
			if *v > 0 {
				*v += bit
			} else {
				*v -= bit
			}
		}
		in.drop(1)
	}
	return k
}

// reconstruct turns the coefficients of the blocks needed into samples.
func (d *Decoder) reconstruct() {
	for i := range d.n {
		c := &d.comps[i]
		stride := 8 * c.need.Dx()
		for y := c.need.Min.Y; y < c.need.Max.Y; y++ {
			for x := c.need.Min.X; x < c.need.Max.X; x++ {
				b := c.coeffs[64*(y*c.stride+x):][:64:64]
				any := int16(0)
				for _, v := range b[1:] {
					any |= v
				}
				out := c.block(x, y)
				if any == 0 {
					flat(int32(b[0])*c.quant[0], out, stride)
					continue
				}
				for j, v := range b {
					d.block[j] = int32(v) * c.quant[j]
				}
				inverse(&d.block, out, stride)
			}
		}
	}
}
