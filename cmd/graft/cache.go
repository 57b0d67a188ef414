package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/onnx-graft/graft/finetune"
)

// cacheFlags choose where features are kept between runs.
type cacheFlags struct {
	dir   string
	off   bool
	store string
}

func (c *cacheFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&c.dir, "cache", "", "folder to keep computed features in (default: features below graft's cache)")
	flags.BoolVar(&c.off, "no-cache", false, "keep no features")
	flags.StringVar(&c.store, "store", string(finetune.Float32), "precision features are kept in: float32, or float16 for half the room; a fine-tune judges by float32 in any case")
}

// precision is what --store asks for.
func (c *cacheFlags) precision() (finetune.Precision, error) {
	p := finetune.Precision(c.store)
	if !slices.Contains(finetune.Precisions, p) {
		return p, usagef("--store takes %s or %s; got %q", finetune.Float32, finetune.Float16, c.store)
	}
	return p, nil
}

// open returns the cache, nil where there shall be none.
func (c *cacheFlags) open() (*finetune.Cache, error) {
	switch {
	case c.off:
		return nil, nil
	case c.dir != "":
		return &finetune.Cache{Dir: c.dir}, nil
	}
	return finetune.DefaultCache()
}

func cacheCommand(a *app) *cobra.Command {
	var flags cacheFlags
	cmd := &cobra.Command{
		Use:   "cache",
		Short: "List and remove computed features",
		Args:  cobra.ArbitraryArgs,
		RunE:  group,
	}
	cmd.PersistentFlags().StringVar(&flags.dir, "cache", "", "the folder (default: features below graft's cache)")
	cmd.AddCommand(cacheList(a, &flags), cachePrune(a, &flags), cacheClear(a, &flags))
	return cmd
}

func cacheList(a *app, flags *cacheFlags) *cobra.Command {
	return &cobra.Command{
		Use:   "ls",
		Short: "List what is kept, most recently used first",
		Args:  none,
		RunE: func(*cobra.Command, []string) error {
			cache, err := flags.open()
			if err != nil {
				return err
			}
			list, err := cache.List()
			if err != nil {
				return err
			}
			if a.json {
				return a.printJSON(append([]finetune.CacheEntry{}, list...))
			}
			rows := [][]string{{"KEY", "MODEL", "ROWS", "DIM", "TYPE", "SIZE", "USED"}}
			for _, e := range list {
				model := e.Model
				if e.Damaged {
					model = "damaged"
				}
				rows = append(rows, []string{e.Key[:12], model, fmt.Sprint(e.Rows), fmt.Sprint(e.Cols), string(e.Type), megabytes(e.Bytes), e.Used.Format("2006-01-02 15:04")})
			}
			return a.printTable(rows...)
		},
	}
}

func cachePrune(a *app, flags *cacheFlags) *cobra.Command {
	var limit string
	cmd := &cobra.Command{
		Use:   "prune",
		Short: "Remove what was used least recently, down to a size",
		Args:  none,
		RunE: func(*cobra.Command, []string) error {
			bytes, err := parseSize(limit)
			if err != nil {
				return err
			}
			return a.free(flags, func(c *finetune.Cache) (int64, error) { return c.Prune(bytes) })
		},
	}
	cmd.Flags().StringVar(&limit, "limit", "20GB", "size to keep, such as 500MB or 2GB")
	return cmd
}

func cacheClear(a *app, flags *cacheFlags) *cobra.Command {
	return &cobra.Command{
		Use:   "clear",
		Short: "Remove everything that is kept",
		Args:  none,
		RunE: func(*cobra.Command, []string) error {
			return a.free(flags, (*finetune.Cache).Clear)
		},
	}
}

// free does one kind of removal and says what it freed.
func (a *app) free(flags *cacheFlags, remove func(*finetune.Cache) (int64, error)) error {
	cache, err := flags.open()
	if err != nil {
		return err
	}
	freed, err := remove(cache)
	if err != nil {
		return err
	}
	if a.json {
		return a.printJSON(map[string]int64{"freed_bytes": freed})
	}
	_, err = fmt.Fprintf(a.stdout, "freed %s\n", megabytes(freed))
	return err
}

func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }

// sizes are the units parseSize knows, the longer names first.
var sizes = []struct {
	unit  string
	bytes float64
}{{"TB", 1e12}, {"GB", 1e9}, {"MB", 1e6}, {"kB", 1e3}, {"KB", 1e3}, {"B", 1}}

// parseSize reads a size such as 500MB; a bare number is bytes.
func parseSize(s string) (int64, error) {
	factor, number := 1.0, s
	for _, size := range sizes {
		if rest, ok := strings.CutSuffix(s, size.unit); ok {
			factor, number = size.bytes, rest
			break
		}
	}
	v, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if err != nil || !(v >= 0) || v*factor > 1<<62 {
		return 0, usagef("%q is no size; want one such as 500MB or 2GB", s)
	}
	return int64(v * factor), nil
}
