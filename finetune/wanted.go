package finetune

// wanted is which rows of a result have which content.
type wanted struct {
	contents []contentKey
	first    map[contentKey]int32 // the first row with a content
	firstOf  []int32              // of each row, the first row with its content
	next     []int32              // the next row with the same content, -1 at the end
	found    []bool               // of a first row, whether its content has been found
}

func newWanted(contents []contentKey) *wanted {
	n := len(contents)
	w := &wanted{contents: contents, first: make(map[contentKey]int32, n), firstOf: make([]int32, n), next: make([]int32, n), found: make([]bool, n)}
	last := make([]int32, n) // of a first row, the last row so far with its content
	for i, key := range contents {
		first, again := w.first[key]
		if !again {
			first = int32(i)
			w.first[key] = first
		} else {
			w.next[last[first]] = int32(i)
		}
		w.firstOf[i], w.next[i], last[first] = first, -1, int32(i)
	}
	return w
}

// missing returns the first rows of contents not found, and first rows among 0 … live-1 in any case, in order.
func (w *wanted) missing(live int) []int {
	var rows []int
	for i, first := range w.firstOf {
		if int(first) == i && (!w.found[i] || i < live) {
			rows = append(rows, i)
		}
	}
	return rows
}

// foundRows is the number of rows whose content has been found.
func (w *wanted) foundRows() int {
	n := 0
	for _, first := range w.firstOf {
		if w.found[first] {
			n++
		}
	}
	return n
}

// rowsLike returns all rows with the content of a first row.
func (w *wanted) rowsLike(first int) []int {
	var rows []int
	for i := first; i >= 0; i = int(w.next[i]) {
		rows = append(rows, i)
	}
	return rows
}
