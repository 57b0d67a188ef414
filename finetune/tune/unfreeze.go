package tune

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/onnx-graft/graft/onnx"
	"github.com/onnx-graft/graft/onnx/autodiff"
)

// Unfreeze says which of a backbone's weights move. The zero value moves all of them.
type Unfreeze struct {
	From int    // layers below this number stay as they are
	Top  int    // if not 0, only this many of the last layers move
	Kind string // "norm" and "bias" move only such weights; "none" moves the head alone
}

// ParseUnfreeze reads "all", "none", "norm", "bias", "top:N" or "from:LAYER"; empty is "all".
func ParseUnfreeze(text string) (Unfreeze, error) {
	name, number, counted := strings.Cut(text, ":")
	n, err := strconv.Atoi(number)
	switch {
	case !counted && (name == "" || name == "all"):
		return Unfreeze{}, nil
	case !counted && (name == "none" || name == "norm" || name == "bias"):
		return Unfreeze{Kind: name}, nil
	case counted && name == "top" && err == nil && n > 0:
		return Unfreeze{Top: n}, nil
	case counted && name == "from" && err == nil && n >= 0:
		return Unfreeze{From: n}, nil
	}
	return Unfreeze{}, fmt.Errorf("tune: unfreeze %q is none of all, none, norm, bias, top:N, from:LAYER", text)
}

// String writes u as ParseUnfreeze reads it.
func (u Unfreeze) String() string {
	switch {
	case u.Kind != "":
		return u.Kind
	case u.Top > 0:
		return "top:" + strconv.Itoa(u.Top)
	case u.From > 0:
		return "from:" + strconv.Itoa(u.From)
	}
	return "all"
}

// first returns the lowest layer that moves; len(layers) where none does.
func (u Unfreeze) first(layers []autodiff.Layer) (int, error) {
	switch {
	case u.Kind == "none":
		return len(layers), nil
	case u.Top >= len(layers):
		return 0, nil
	case u.Top > 0:
		return len(layers) - u.Top, nil
	case u.From >= len(layers):
		return 0, fmt.Errorf("tune: unfreeze from:%d: the backbone's layers are 0 to %d", u.From, len(layers)-1)
	}
	return u.From, nil
}

// moves tells whether u trains a weight of a layer that is not frozen as a whole. Biases are vectors that are added; the
// weights of a normalisation are vectors too.
func (u Unfreeze) moves(index *onnx.Index, w *onnx.Tensor) bool {
	switch u.Kind {
	case "norm":
		return normalises(index, w.Name)
	case "bias":
		return len(w.Shape) == 1 && !scales(index, w.Name)
	}
	return true
}

// normalises tells whether a weight belongs to a normalisation node.
func normalises(index *onnx.Index, name string) bool {
	for _, n := range index.Readers(name) {
		if n.Is("LayerNormalization", "BatchNormalization", "InstanceNormalization", "GroupNormalization", "RMSNormalization") {
			return true
		}
	}
	return false
}

// scales tells whether a vector multiplies.
func scales(index *onnx.Index, name string) bool {
	for _, n := range index.Readers(name) {
		if n.Is("Mul") || n.Is("LayerNormalization", "BatchNormalization") && n.Input(1) == name {
			return true
		}
	}
	return false
}
