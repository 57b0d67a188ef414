package vision

import (
	"encoding/json"
	"fmt"
	"image"
)

// timmConfig is "pretrained_cfg" of a timm model's config.json, as far as it concerns pictures.
type timmConfig struct {
	InputSize     []int         `json:"input_size"` // channels, height, width
	Interpolation Interpolation `json:"interpolation"`
	CropPct       float64       `json:"crop_pct"`
	CropMode      string        `json:"crop_mode"`
	Mean          *stats        `json:"mean"`
	Std           *stats        `json:"std"`
}

// timmTransform reads the evaluation preprocessing of a timm model's config.json, false where c is none.
func timmTransform(c map[string]any) (Transform, bool, error) {
	raw, ok := c["pretrained_cfg"]
	if !ok {
		return Transform{}, false, nil
	}
	b, err := json.Marshal(raw)
	if err != nil {
		return Transform{}, false, fmt.Errorf("vision: config.json: pretrained_cfg: %w", err)
	}
	k := timmConfig{InputSize: []int{3, 224, 224}, Interpolation: Bicubic, CropPct: 0.875, CropMode: "center"}
	if err := json.Unmarshal(b, &k); err != nil {
		return Transform{}, false, fmt.Errorf("vision: config.json: pretrained_cfg: %w", err)
	}
	if len(k.InputSize) != 3 || k.InputSize[0] != 3 || !(k.CropPct > 0 && k.CropPct <= 1) {
		return Transform{}, false, fmt.Errorf("vision: config.json: pretrained_cfg: input_size %v, crop_pct %v", k.InputSize, k.CropPct)
	}
	mode := map[string]Resize{"center": ResizeShorter, "squash": ResizeExact, "border": ResizeLonger}[k.CropMode]
	if mode == "" {
		return Transform{}, false, fmt.Errorf("vision: config.json: pretrained_cfg: crop_mode %q is none of center, squash, border", k.CropMode)
	}
	t := Transform{
		Interpolation: k.Interpolation,
		CropRounding:  RoundHalfEven,
		Rescale:       1.0 / 255,
		Normalize:     Normalize{Mean: or(k.Mean, stats(imageNetMean)), Std: or(k.Std, stats(imageNetStd))},
	}
	t.fit(mode, image.Pt(k.InputSize[2], k.InputSize[1]), k.CropPct)
	t.canonical()
	return t, true, t.check()
}
