package metrics

// Difference returns by how much the mean of a is above that of b, where a[i] and b[i] are of the same row, and the
// paired bootstrap interval of it: rows are drawn anew, with both their numbers.
func (s Settings) Difference(a, b []float64) (float64, Interval, error) {
	if len(a) == 0 || len(a) != len(b) {
		return 0, Interval{}, rowsErrorf("%d rows to compare with %d", len(a), len(b))
	}
	d := make([]float64, len(a))
	for i := range d {
		d[i] = a[i] - b[i]
	}
	const name = "difference"
	values, intervals := s.measure(len(d), []measure{one(name, mean(d))})
	return values[name], intervals[name], nil
}
