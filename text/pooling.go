package text

import (
	"encoding/json"
	"fmt"
	"path"
	"strings"

	"github.com/onnx-graft/graft/onnx"
)

// A pooling is what modules.json asks for after the transformer.
type pooling struct {
	mode      onnx.Pooling // "" where it does not say
	normalize bool
}

// poolingModes are the names sentence-transformers gives poolings; those without a Pooling are not supported.
var poolingModes = map[string]onnx.Pooling{
	"mean": onnx.PoolMean, "cls": onnx.PoolCLS, "max": onnx.PoolMax, "lasttoken": onnx.PoolLast,
	"mean_sqrt_len_tokens": "", "weightedmean": "",
}

// poolingFlags are the older form: one flag each.
var poolingFlags = map[string]string{
	"pooling_mode_mean_tokens": "mean", "pooling_mode_cls_token": "cls", "pooling_mode_max_tokens": "max",
	"pooling_mode_lasttoken": "lasttoken", "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
	"pooling_mode_weightedmean_tokens": "weightedmean",
}

// pooling reads modules.json and the files of the modules it lists.
func (f *folder) pooling() (pooling, error) {
	var p pooling
	modules, err := f.modules()
	if err != nil {
		return p, err
	}
	for i, m := range modules {
		switch kind := m.Type[strings.LastIndexByte(m.Type, '.')+1:]; kind {
		case "Transformer":
		case "Normalize":
			p.normalize = true
		case "Pooling":
			if p.mode, err = f.poolingMode(path.Join(path.Clean("./"+m.Path), "config.json")); err != nil {
				return p, err
			}
		default:
			return p, &UnsupportedError{"modules.json", fmt.Sprintf("[%d].type", i),
				fmt.Sprintf("%q; understood are Transformer, Pooling, Normalize. Naming a pooling leaves the file out of account", m.Type)}
		}
	}
	return p, nil
}

// poolingMode reads the config.json of a Pooling module.
func (f *folder) poolingMode(name string) (onnx.Pooling, error) {
	data, err := readFile(f.fsys, name)
	if err != nil {
		return "", err
	}
	if data == nil {
		return "", &MalformedError{File: name, Err: fmt.Errorf("is missing, though modules.json lists its folder")}
	}
	var m map[string]any
	if err := json.Unmarshal(data, &m); err != nil {
		return "", &MalformedError{File: name, Err: err}
	}
	var modes []string
	switch mode := m["pooling_mode"].(type) {
	case string:
		modes = []string{mode}
	case []any:
		for _, x := range mode {
			modes = append(modes, fmt.Sprint(x))
		}
	}
	if modes == nil {
		for flag, mode := range poolingFlags {
			if on, _ := m[flag].(bool); on {
				modes = append(modes, mode)
			}
		}
	}
	switch len(modes) {
	case 0:
		return onnx.PoolMean, nil // the default of sentence-transformers
	case 1:
		if p := poolingModes[modes[0]]; p != "" {
			return p, nil
		}
	}
	return "", &UnsupportedError{File: name, What: fmt.Sprintf("pooling by %s; understood are mean, cls, max or lasttoken, one of them",
		strings.Join(sortedStrings(modes), " and "))}
}
