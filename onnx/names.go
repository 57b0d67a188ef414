package onnx

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// names are the names a graph uses, each with the last number tried behind it.
type names map[string]int

// namesOf collects every tensor and node name of a graph and of the graphs inside it.
func namesOf(g *Graph) names {
	used := names{}
	used.addGraph(g)
	return used
}

func (u names) addGraph(g *Graph) {
	for _, list := range [][]*Value{g.Inputs, g.Outputs, g.Values} {
		for _, v := range list {
			u.take(v.Name)
		}
	}
	for _, t := range g.Initializers {
		u.take(t.Name)
	}
	for _, t := range g.SparseInitializers {
		if t.Values != nil {
			u.take(t.Values.Name)
		}
	}
	for _, n := range g.Nodes {
		u.take(n.Name)
		for _, list := range [][]string{n.Inputs, n.Outputs} {
			for _, name := range list {
				u.take(name)
			}
		}
		for _, sub := range subgraphs(n) {
			u.addGraph(sub)
		}
	}
}

// fresh returns want, or want_1, want_2, … where that is taken, and takes it.
func (u names) fresh(want string) string {
	name := want
	for i := u[want] + 1; name == "" || u.has(name); i++ {
		name = want + "_" + strconv.Itoa(i)
		u[want] = i
	}
	u.take(name)
	return name
}

func (u names) has(name string) bool {
	_, used := u[name]
	return used
}

func (u names) take(name string) { u[name] += 0 }

// with returns the names of both.
func (u names) with(other names) names {
	both := maps.Clone(u)
	for name := range other {
		both.take(name)
	}
	return both
}

// missing says that the graph has no such tensor, and which it has that is called nearly the same.
func (x *Index) missing(tensor string) error {
	known := make([]string, 0, len(x.producers)+len(x.weights))
	for name := range x.producers {
		known = append(known, name)
	}
	for name := range x.weights {
		known = append(known, name)
	}
	for _, v := range x.graph.Inputs {
		known = append(known, v.Name)
	}
	slices.Sort(known)
	best, least := "", len(tensor)/2+1
	for _, name := range known {
		if d := distance(strings.ToLower(tensor), strings.ToLower(name), least); d < least {
			best, least = name, d
		}
	}
	for _, name := range known {
		if best == "" && len(tensor) > 2 && strings.Contains(strings.ToLower(name), strings.ToLower(tensor)) {
			best = name
		}
	}
	if best == "" {
		return fmt.Errorf("no tensor %q in the graph", tensor)
	}
	return fmt.Errorf("no tensor %q in the graph; there is %q", tensor, best)
}

// distance counts the insertions, deletions and replacements of bytes that turn a into b, up to limit (Levenshtein).
func distance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	row := make([]int, len(b)+1)
	for k := range row {
		row[k] = k
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		least := row[0]
		for k := range len(b) {
			cost := diagonal
			if a[i] != b[k] {
				cost = 1 + min(diagonal, row[k], row[k+1])
			}
			diagonal, row[k+1] = row[k+1], cost
			least = min(least, cost)
		}
		if least >= limit {
			return limit
		}
	}
	return row[len(b)]
}
