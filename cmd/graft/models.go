package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/onnx-graft/graft/models"
)

func modelsCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "models",
		Short: "List, show and download common backbones",
		Args:  cobra.ArbitraryArgs,
		RunE:  group,
	}
	cmd.AddCommand(modelsList(a), modelsShow(a), modelsPull(a))
	return cmd
}

// cardJSON is a card as --json shows it.
type cardJSON struct {
	Name          string `json:"name"`
	Task          string `json:"task"`
	Repo          string `json:"repo,omitempty"`
	License       string `json:"license"`
	Dim           int    `json:"dim"`
	MB            int    `json:"mb"`
	Preprocessing string `json:"preprocessing"`
	Note          string `json:"note,omitempty"`
	Path          string `json:"path,omitempty"` // where it is on this machine
	Embedded      bool   `json:"embedded"`
}

// minis are the embedded backbones, as cards.
var minis = []cardJSON{
	{Name: models.MiniText, Task: "text", License: "Apache-2.0", Dim: 192, MB: 8, Embedded: true,
		Preprocessing: "uncased WordPiece, 256 tokens, mean pooling", Note: "inside graft; the default for texts"},
	{Name: models.MiniImage, Task: "image", License: "Apache-2.0", Dim: 256, MB: 5, Embedded: true,
		Preprocessing: "64×64, ImageNet mean and std", Note: "inside graft; the default for pictures"},
}

func cards(hub models.Hub) []cardJSON {
	all := append([]cardJSON{}, minis...)
	for _, c := range models.Catalogue() {
		j := cardJSON{Name: c.Name, Task: string(c.Task), Repo: c.Repo, License: c.License, Dim: c.Dim, MB: c.MB, Preprocessing: c.Input, Note: c.Note}
		if dir, ok := hub.Pulled(c); ok {
			j.Path = dir
		}
		all = append(all, j)
	}
	return all
}

func modelsList(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the backbones graft knows",
		Args:  none,
		RunE: func(*cobra.Command, []string) error {
			list := cards(models.Hub{})
			if a.json {
				return a.printJSON(list)
			}
			rows := [][]string{{"NAME", "TASK", "DIM", "SIZE", "LICENCE", "HERE", "REPOSITORY"}}
			for _, c := range list {
				here := ""
				if c.Embedded || c.Path != "" {
					here = "yes"
				}
				rows = append(rows, []string{c.Name, c.Task, fmt.Sprint(c.Dim), fmt.Sprint(c.MB, " MB"), c.License, here, c.Repo})
			}
			return a.printTable(rows...)
		},
	}
}

func modelsShow(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "show NAME",
		Short: "Show one backbone's card",
		Args:  exactly(1, "one name"),
		RunE: func(_ *cobra.Command, args []string) error {
			for _, c := range cards(models.Hub{}) {
				if c.Name != args[0] {
					continue
				}
				if a.json {
					return a.printJSON(c)
				}
				rows := [][]string{
					{"name", c.Name}, {"task", c.Task}, {"repository", c.Repo}, {"licence", c.License},
					{"features", fmt.Sprint(c.Dim)}, {"download", fmt.Sprint(c.MB, " MB")}, {"input", c.Preprocessing}, {"note", c.Note}, {"path", c.Path},
				}
				shown := rows[:0]
				for _, r := range rows {
					if r[1] != "" {
						shown = append(shown, r)
					}
				}
				return a.printTable(shown...)
			}
			return usagef("no backbone is called %q; graft models list shows those there are", args[0])
		},
	}
}

func modelsPull(a *app) *cobra.Command {
	hub := models.Hub{Base: os.Getenv("HF_ENDPOINT")}
	cmd := &cobra.Command{
		Use:   "pull NAME",
		Short: "Download a backbone into graft's cache",
		Long:  "Download a backbone into graft's cache. A broken download is gone on with, and every file\nis checked against the digest the hub states.",
		Args:  exactly(1, "one name"),
		RunE: func(cmd *cobra.Command, args []string) error {
			card, ok := models.Find(args[0])
			if !ok {
				return usagef("no backbone called %q can be downloaded; graft models list shows those there are", args[0])
			}
			hub.Offline = a.offline
			bar := a.newMeter("bytes")
			hub.Progress = func(file string, done, total int64) { bar.set(file, done, total) }
			dir, err := hub.Pull(cmd.Context(), card)
			bar.finish()
			if err != nil {
				return err
			}
			if a.json {
				return a.printJSON(map[string]string{"name": card.Name, "path": dir})
			}
			_, err = fmt.Fprintln(a.stdout, dir)
			return err
		},
	}
	cmd.Flags().StringVar(&hub.Base, "hub", hub.Base, "address of the hub or a mirror of it (HF_ENDPOINT)")
	cmd.Flags().StringVar(&hub.Dir, "dir", "", "folder to keep backbones in (default: graft's cache)")
	return cmd
}
