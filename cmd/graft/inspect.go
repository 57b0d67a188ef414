package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/onnx-graft/graft/models"
	"github.com/onnx-graft/graft/onnx"
)

func inspectCommand(a *app) *cobra.Command {
	var layers bool
	cmd := &cobra.Command{
		Use:   "inspect MODEL",
		Short: "Show what a model takes, gives and consists of, and where features can be taken",
		Long:  "Show a model's inputs, outputs, operator sets, operators and parameters, and the tensors that can\nserve as features, best first; or, with --layers, its layers as --unfreeze numbers them. MODEL is an .onnx file, a model folder, or a backbone's name.",
		Args:  exactly(1, "one model"),
		RunE: func(_ *cobra.Command, args []string) error {
			source, err := models.Hub{}.Resolve(args[0])
			if err != nil {
				return err
			}
			m, err := loadModel(source)
			if err != nil {
				return err
			}
			defer m.Close()
			if err := onnx.Check(m); err != nil {
				return err
			}
			if layers {
				list, err := modelLayers(m)
				if err != nil {
					return err
				}
				if a.json {
					return a.printJSON(map[string]any{"layers": list})
				}
				return a.printLayers(list)
			}
			report := newInspection(m)
			if a.json {
				return a.printJSON(report)
			}
			return a.printInspection(report)
		},
	}
	cmd.Flags().BoolVar(&layers, "layers", false, "show the layers that --unfreeze counts: weights, boundaries, and which can be trained")
	return cmd
}

// inspection is the answer of inspect --json.
type inspection struct {
	Inputs     []valueJSON      `json:"inputs"`
	Outputs    []valueJSON      `json:"outputs"`
	Opsets     map[string]int64 `json:"opsets"`
	Ops        map[string]int   `json:"ops"`
	Parameters int64            `json:"parameters"`
	Features   []featureJSON    `json:"features"`
}

type valueJSON struct {
	Name  string `json:"name"`
	Type  string `json:"type"`
	Shape []any  `json:"shape"` // sizes and names of dimensions; null where the rank is not known
}

type featureJSON struct {
	Tensor string `json:"tensor"`
	Dim    *int64 `json:"dim"` // null where the graph does not tell
	Kind   string `json:"kind"`
}

func newInspection(m *onnx.Model) inspection {
	info := onnx.Inspect(m)
	r := inspection{Inputs: values(info.Inputs), Outputs: values(info.Outputs), Opsets: map[string]int64{}, Ops: info.Ops, Parameters: info.Parameters, Features: []featureJSON{}}
	for _, o := range info.Opsets {
		r.Opsets[cmp.Or(o.Domain, "ai.onnx")] = o.Version
	}
	for _, f := range onnx.Features(m) {
		j := featureJSON{Tensor: f.Tensor, Kind: string(f.Kind)}
		if f.Dim > 0 {
			j.Dim = &f.Dim
		}
		r.Features = append(r.Features, j)
	}
	return r
}

func values(vs []*onnx.Value) []valueJSON {
	list := make([]valueJSON, len(vs))
	for i, v := range vs {
		list[i] = valueJSON{Name: v.Name, Type: v.Type.String()}
		if v.Shape == nil {
			continue
		}
		list[i].Shape = []any{}
		for _, d := range v.Shape {
			switch {
			case d.Known:
				list[i].Shape = append(list[i].Shape, d.Size)
			case d.Param != "":
				list[i].Shape = append(list[i].Shape, d.Param)
			default:
				list[i].Shape = append(list[i].Shape, nil)
			}
		}
	}
	return list
}

func (a *app) printInspection(r inspection) error {
	var rows [][]string
	for _, part := range []struct {
		title string
		list  []valueJSON
	}{{"input", r.Inputs}, {"output", r.Outputs}} {
		for _, v := range part.list {
			rows = append(rows, []string{part.title, v.Name, v.Type + " " + shapeText(v.Shape)})
		}
	}
	for _, domain := range slices.Sorted(maps.Keys(r.Opsets)) {
		rows = append(rows, []string{"opset", domain, fmt.Sprint(r.Opsets[domain])})
	}
	ops := slices.SortedFunc(maps.Keys(r.Ops), func(x, y string) int {
		return cmp.Or(cmp.Compare(r.Ops[y], r.Ops[x]), cmp.Compare(x, y))
	})
	for i, op := range ops {
		ops[i] = fmt.Sprintf("%s %d", op, r.Ops[op])
	}
	rows = append(rows, []string{"operators", strings.Join(ops, ", ")}, []string{"parameters", fmt.Sprint(r.Parameters)})
	for _, f := range r.Features {
		dim := "?"
		if f.Dim != nil {
			dim = fmt.Sprint(*f.Dim)
		}
		rows = append(rows, []string{"features", f.Tensor, dim + " " + f.Kind})
	}
	return a.printTable(rows...)
}

func shapeText(shape []any) string {
	if shape == nil {
		return "(rank not known)"
	}
	dims := make([]string, len(shape))
	for i, d := range shape {
		dims[i] = "?"
		if d != nil {
			dims[i] = fmt.Sprint(d)
		}
	}
	return "[" + strings.Join(dims, ", ") + "]"
}
