package pattern

// An UnsupportedError says that an expression uses something this package does not know.
type UnsupportedError struct{ What string }

func (e *UnsupportedError) Error() string { return e.What }

// A Regexp is a compiled regular expression.
type Regexp struct{}

// Find returns the first match in text at or after from, or a start below 0.
func (r *Regexp) Find(text []byte, from int) (start, end int) { return -1, -1 }

// Compile compiles an expression.
func Compile(expr string) (*Regexp, error) { return nil, &UnsupportedError{"regular expressions"} }
