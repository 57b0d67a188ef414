package text

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// A value is a part of a JSON file that knows where it stands, for errors. Its raw text is nil where the file has
// nothing there.
type value struct {
	file string
	path string
	raw  json.RawMessage
}

// parseJSON returns the whole of a JSON file.
func parseJSON(file string, data []byte) (value, error) {
	v := value{file: file, raw: data}
	if !json.Valid(data) {
		var any json.RawMessage
		return v, v.malformed(json.Unmarshal(data, &any))
	}
	return v, nil
}

func (v value) malformed(err error) error { return &MalformedError{v.file, v.path, err} }

func (v value) unsupported(format string, a ...any) error {
	return &UnsupportedError{v.file, v.path, fmt.Sprintf(format, a...)}
}

// none reports whether there is nothing, or null.
func (v value) none() bool { return len(v.raw) == 0 || string(bytes.TrimSpace(v.raw)) == "null" }

// to decodes the value into p.
func (v value) to(p any) error {
	if len(v.raw) == 0 {
		return v.malformed(errors.New("is missing"))
	}
	if err := json.Unmarshal(v.raw, p); err != nil {
		return v.malformed(err)
	}
	return nil
}

// fields returns an object's fields.
func (v value) fields() (object, error) {
	var m map[string]json.RawMessage
	if err := v.to(&m); err != nil {
		return object{}, err
	}
	return object{v, m}, nil
}

// list returns an array's elements.
func (v value) list() ([]value, error) {
	var raws []json.RawMessage
	if err := v.to(&raws); err != nil {
		return nil, err
	}
	list := make([]value, len(raws))
	for i, raw := range raws {
		list[i] = value{v.file, v.path + "[" + strconv.Itoa(i) + "]", raw}
	}
	return list, nil
}

// An object is a JSON object.
type object struct {
	value
	m map[string]json.RawMessage
}

// get returns a field.
func (o object) get(key string) value {
	path := key
	if o.path != "" {
		path = o.path + "." + key
	}
	return value{o.file, path, o.m[key]}
}

// The functions below return a field, or instead what is given where there is none. The first error sticks in err.

func (o object) str(key, instead string, err *error) string { return field(o, key, instead, err) }
func (o object) flag(key string, instead bool, err *error) bool {
	return field(o, key, instead, err)
}
func (o object) num(key string, instead int, err *error) int { return field(o, key, instead, err) }

func field[T any](o object, key string, instead T, err *error) T {
	v := o.get(key)
	if *err != nil || v.none() {
		return instead
	}
	x := instead
	if *err = v.to(&x); *err != nil {
		return instead
	}
	return x
}

// char returns a field that is one character.
func (o object) char(key string, instead rune, err *error) rune {
	s := o.str(key, string(instead), err)
	if r := []rune(s); len(r) == 1 {
		return r[0]
	}
	if *err == nil {
		*err = o.get(key).malformed(fmt.Errorf("%q is not one character", s))
	}
	return instead
}

// oneOf returns what a field's name stands for.
func oneOf[T any](o object, key string, instead T, names map[string]T, err *error) T {
	name := o.str(key, "", err)
	if *err != nil || name == "" {
		return instead
	}
	x, ok := names[name]
	if !ok {
		*err = o.get(key).unsupported("%q; understood are %s", name, strings.Join(slices.Sorted(maps.Keys(names)), ", "))
	}
	return x
}
