package vision

// An Augment describes random changes to training pictures.
type Augment struct {
	Seed uint64
}

// String is a canonical form of a.
func (a *Augment) String() string { return "" }
