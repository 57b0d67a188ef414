package main

import (
	"bytes"
	"fmt"
	"go/format"
	"io"
	"strings"

	"github.com/emicklei/proto"
)

// A kind is what a field type becomes: the view struct's Go type, the reader call that fills it, and the type of the
// field's constant for the encoder. In view and read, T stands for the message's Go type and F for the struct field.
type kind struct {
	view, read, constant string
}

// scalars is the table of field types: singular, repeated, repeated and packed. A type not in it is a message or enum.
var scalars = map[string][3]kind{
	"string": {{"[]byte", "r.bytes(&m.F)", "StringField"}, {"Blobs", "r.list(&m.F.span)", "StringsField"}},
	"bytes":  {{"[]byte", "r.bytes(&m.F)", "BytesField"}, {"Blobs", "r.list(&m.F.span)", "BytessField"}},
	"int32":  integer,
	"int64":  integer,
	"uint64": integer,
	"float": {{"uint32", "r.fixed32(&m.F)", "FloatField"}, {"Fixed", "r.fixed(&m.F, 4, false)", "FloatsField"},
		{"Fixed", "r.fixed(&m.F, 4, true)", "PackedFixed32"}},
	"double": {2: {"Fixed", "r.fixed(&m.F, 8, true)", "PackedFixed64"}},
}

var (
	integer = [3]kind{{"int64", "r.varint(&m.F)", "IntField"}, {"Varints", "r.varints(&m.F, false)", "IntsField"},
		{"Varints", "r.varints(&m.F, true)", "PackedField"}}
	messages = [3]kind{{"Message[T]", "sub(&r, &m.F)", "MessageField"}, {"Messages[T]", "r.list(&m.F.span)", "MessageField"}}
)

// generate returns the Go code for a schema.
func generate(schema io.Reader) ([]byte, error) {
	file, err := proto.NewParser(schema).Parse()
	if err != nil {
		return nil, err
	}
	g := &generator{types: map[string]string{}, enums: map[string]bool{}}
	g.declare("", file.Elements)
	g.printf("// Code generated from onnx.proto by gen. DO NOT EDIT.\n\npackage pb\n")
	if err := g.emit("", file.Elements); err != nil {
		return nil, err
	}
	return format.Source(g.out.Bytes())
}

type generator struct {
	out   bytes.Buffer
	types map[string]string // proto name, qualified by its outer messages → Go name
	enums map[string]bool   // qualified names of enums
}

func (g *generator) printf(format string, args ...any) { fmt.Fprintf(&g.out, format, args...) }

// declare notes the names of all messages and enums.
func (g *generator) declare(scope string, elements []proto.Visitee) {
	for _, e := range elements {
		switch e := e.(type) {
		case *proto.Message:
			name := join(scope, e.Name)
			g.types[name] = strings.ReplaceAll(name, ".", "")
			g.declare(name, e.Elements)
		case *proto.Enum:
			g.enums[join(scope, e.Name)] = true
		}
	}
}

// emit writes the code of the messages and enums among elements.
func (g *generator) emit(scope string, elements []proto.Visitee) error {
	for _, e := range elements {
		switch e := e.(type) {
		case *proto.Message:
			name := join(scope, e.Name)
			if err := g.message(name, e); err != nil {
				return err
			}
			if err := g.emit(name, e.Elements); err != nil {
				return err
			}
		case *proto.Enum:
			g.enum(scope, e)
		}
	}
	return nil
}

// A field is one field of a message, of a oneof or not.
type field struct {
	name   string // in Go
	number int
	kind   kind
}

// message writes a message's struct, its Unmarshal method and the constants of its fields.
func (g *generator) message(name string, m *proto.Message) error {
	fields, err := g.fields(name, m.Elements)
	if err != nil {
		return err
	}
	typ := g.types[name]
	g.printf("\n// %s%s\ntype %s struct {\n\tBase\n", typ, doc(m.Comment), typ)
	for _, f := range fields {
		g.printf("\t%s %s\n", f.name, f.kind.view)
	}
	g.printf("}\n\n// Unmarshal reads the message b; the views alias it.\nfunc (m *%s) Unmarshal(b []byte) error {\n", typ)
	g.printf("\tr := reader{b: b, name: %q, base: &m.Base}\n\tfor r.next() {\n\t\tswitch r.num {\n", name)
	for _, f := range fields {
		g.printf("\t\tcase %d:\n\t\t\t%s\n", f.number, f.kind.read)
	}
	g.printf("\t\tdefault:\n\t\t\tr.unknown()\n\t\t}\n\t}\n\treturn r.err\n}\n\n// The fields of %s.\nconst (\n", typ)
	for _, f := range fields {
		g.printf("\t%s%s %s = %d\n", prefix(name), f.name, f.kind.constant, f.number)
	}
	g.printf(")\n")
	return nil
}

// enum writes an enum's numbers as untyped constants.
func (g *generator) enum(scope string, e *proto.Enum) {
	g.printf("\n// The values of %s.\nconst (\n", e.Name)
	for _, x := range e.Elements {
		if v, ok := x.(*proto.EnumField); ok {
			g.printf("\t%s%s%s = %d\n", prefix(scope), e.Name, camel(strings.ToLower(v.Name)), v.Integer)
		}
	}
	g.printf(")\n")
}

// fields returns the fields of a message, those of its oneofs included, in the order of the schema.
func (g *generator) fields(scope string, elements []proto.Visitee) ([]field, error) {
	var fields []field
	for _, e := range elements {
		var f *proto.Field
		form := 0
		switch e := e.(type) {
		case *proto.Oneof:
			inner, err := g.fields(scope, e.Elements)
			if err != nil {
				return nil, err
			}
			fields = append(fields, inner...)
			continue
		case *proto.OneOfField:
			f = e.Field
		case *proto.NormalField:
			f = e.Field
			if e.Repeated {
				form = 1
			}
		default:
			continue
		}
		if form == 1 && packed(f) {
			form = 2
		}
		k, err := g.kind(scope, f.Type, form)
		if err != nil {
			return nil, fmt.Errorf("%s.%s: %w", scope, f.Name, err)
		}
		if f.Sequence > 31 {
			return nil, fmt.Errorf("%s.%s: field number %d has no bit in a Form", scope, f.Name, f.Sequence)
		}
		name := camel(f.Name)
		k.read = strings.ReplaceAll(k.read, "F", name)
		fields = append(fields, field{name, f.Sequence, k})
	}
	return fields, nil
}

// kind returns what a field of type typ, named within scope, becomes; form indexes a row of scalars.
func (g *generator) kind(scope, typ string, form int) (kind, error) {
	if row, ok := scalars[typ]; ok && row[form].view != "" {
		return row[form], nil
	}
	for s := scope; ; s = outer(s) {
		name := join(s, typ)
		if g.enums[name] {
			return integer[form], nil
		}
		if t, ok := g.types[name]; ok && messages[form].view != "" {
			k := messages[form]
			k.view = strings.ReplaceAll(k.view, "T", t)
			return k, nil
		}
		if s == "" {
			return kind{}, fmt.Errorf("type %s is not in the generator's table", typ)
		}
	}
}

// packed reports whether a field carries the option packed = true.
func packed(f *proto.Field) bool {
	for _, o := range f.Options {
		if o.Name == "packed" {
			return o.Constant.Source == "true"
		}
	}
	return false
}

// prefix returns what the constants of a message start with: its Go name without "Proto".
func prefix(name string) string {
	return strings.ReplaceAll(strings.ReplaceAll(name, ".", ""), "Proto", "")
}

// doc returns a message's comment, ready to follow its name.
func doc(c *proto.Comment) string {
	if c == nil {
		return " is a message of the format; see onnx.proto."
	}
	return ":" + strings.Join(c.Lines, "\n//")
}

// camel turns doc_string into DocString.
func camel(s string) string {
	var b strings.Builder
	for word := range strings.SplitSeq(s, "_") {
		if word != "" {
			b.WriteString(strings.ToUpper(word[:1]) + word[1:])
		}
	}
	return b.String()
}

func join(scope, name string) string {
	if scope == "" {
		return name
	}
	return scope + "." + name
}

// outer returns the scope around a scope.
func outer(scope string) string {
	return scope[:max(strings.LastIndexByte(scope, '.'), 0)]
}
