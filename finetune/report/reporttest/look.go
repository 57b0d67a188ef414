// Package reporttest looks at reports in a real browser.
package reporttest

import (
	"context"
	"encoding/json"
	"fmt"
	"html"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// Browser finds a browser; without one the test is skipped.
func Browser(t testing.TB) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skip("no Chromium found: install chromium to have the page looked at in a real browser")
	return ""
}

// Browse runs a headless Chromium of its own, without network, and returns what it prints and what it logs.
func Browse(t testing.TB, browser string, args ...string) (out, log string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, browser, append([]string{
		"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--hide-scrollbars", "--host-resolver-rules=MAP * ~NOTFOUND",
		"--enable-logging=stderr", "--user-data-dir=" + t.TempDir(),
	}, args...)...)
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s", browser, err, stderr.String())
	}
	return stdout.String(), stderr.String()
}

// probe is put into a copy of a page: it measures and tells the page around it.
const probe = `<script>addEventListener('load', function () {
  function box(e) { var r = e.getBoundingClientRect(); return {w: r.width, h: r.height, l: r.left, r: r.right, t: r.top, b: r.bottom} }
  var seen = {width: innerWidth, scroll: document.documentElement.scrollWidth, figures: {}, out: [], clipped: [], images: [], small: 99,
    fetched: performance.getEntriesByType('resource').map(function (e) { return e.name })}
  document.querySelectorAll('figure').forEach(function (f) {
    var svg = f.querySelector('svg'), b = box(svg)
    seen.figures[f.id] = {w: b.w, h: b.h, shown: svg.checkVisibility(), title: (svg.querySelector('title') || {}).textContent || ''}
    var scale = b.w / svg.viewBox.baseVal.width
    svg.querySelectorAll('text').forEach(function (t) {
      var r = box(t)
      seen.small = Math.min(seen.small, parseFloat(getComputedStyle(t).fontSize) * scale)
      if (r.l < b.l - 4 || r.r > b.r + 4 || r.t < b.t - 4 || r.b > b.b + 4) seen.clipped.push(f.id + ': ' + t.textContent)
    })
  })
  document.querySelectorAll('body *').forEach(function (e) {
    if (!e.closest('.scroll, svg, .sr') && box(e).r > innerWidth + 1) seen.out.push(e.tagName + '.' + e.className)
  })
  document.querySelectorAll('img').forEach(function (i) { i.loading = 'eager'; seen.images.push([i.complete ? i.naturalWidth : -1, box(i).w, i.alt.length]) })
  document.querySelectorAll('h2, h3').forEach(function (h) { if (!h.textContent.trim()) seen.out.push('an empty heading') })
  parent.seen[name] = seen
})</script></body>`

// facts are what probe sees.
type facts struct {
	Width, Scroll float64
	Figures       map[string]struct {
		W, H  float64
		Shown bool
		Title string
	}
	Out, Clipped, Fetched []string
	Images                [][3]float64
	Small                 float64 // the smallest letters of figures, in pixels
}

// A Page is a report and the ids of the figures it should show.
type Page struct {
	HTML    []byte
	Figures []string
}

// Look opens pages in Chromium, as wide as a phone and as a desk: every figure is there and visible, nothing is cut off or
// sticks out, nothing is fetched, and the console stays silent. Without a browser the test is skipped.
func Look(t *testing.T, pages map[string]Page) {
	t.Helper()
	browser := Browser(t)
	widths := []int{360, 1280}
	var outer strings.Builder
	outer.WriteString(outerPage)
	for name, page := range pages {
		// The copy may run the probe's script; for all else the page's own policy holds.
		copied := strings.Replace(string(page.HTML), "default-src 'none';", "default-src 'none'; script-src 'unsafe-inline';", 1)
		copied = strings.Replace(copied, "</body>", probe, 1)
		for _, w := range widths {
			fmt.Fprintf(&outer, `<iframe name="%s-%d" style="border:0;width:%[2]dpx;height:900px" srcdoc="%s"></iframe>`, name, w, html.EscapeString(copied))
		}
	}
	path := filepath.Join(t.TempDir(), "outer.html")
	if err := os.WriteFile(path, []byte(outer.String()), 0o666); err != nil {
		t.Fatal(err)
	}
	out, log := Browse(t, browser, "--dump-dom", "file://"+path)
	for line := range strings.Lines(log) {
		if strings.Contains(line, "CONSOLE") {
			t.Errorf("the console says: %s", line)
		}
	}
	_, rest, ok := strings.Cut(out, `<pre id="seen">SEEN`)
	text, _, ended := strings.Cut(rest, "END</pre>")
	if !ok || !ended {
		t.Fatalf("the browser gave no facts: %.500s\n%s", out, log)
	}
	var seen map[string]facts
	if err := json.Unmarshal([]byte(html.UnescapeString(text)), &seen); err != nil {
		t.Fatal(err)
	}
	for name, page := range pages {
		for _, w := range widths {
			f, ok := seen[fmt.Sprintf("%s-%d", name, w)]
			if !ok {
				t.Errorf("%s at %d px: not seen", name, w)
				continue
			}
			f.check(t, fmt.Sprintf("%s at %d px", name, w), float64(w), page.Figures)
		}
	}
}

// outerPage holds the pages, and writes down what their probes saw.
const outerPage = `<!doctype html><meta charset="utf-8"><body><pre id="seen"></pre><script>var seen = {}; addEventListener('load', function () {
	document.querySelectorAll('iframe').forEach(function (f) { f.remove() }); document.getElementById('seen').textContent = 'SEEN' + JSON.stringify(seen) + 'END' })</script>`

func (f facts) check(t *testing.T, what string, width float64, ids []string) {
	t.Helper()
	if f.Width != width || f.Scroll > width {
		t.Errorf("%s: the window is %v wide, its content %v", what, f.Width, f.Scroll)
	}
	for _, list := range [][]string{f.Out, f.Clipped, f.Fetched} {
		slices.Sort(list)
		if list = slices.Compact(list); len(list) > 0 {
			t.Errorf("%s: beyond the page, beyond a drawing, or fetched: %.400q", what, list)
		}
	}
	if len(f.Figures) != len(ids) {
		t.Errorf("%s: %d figures, want %d", what, len(f.Figures), len(ids))
	}
	for _, id := range ids {
		g, ok := f.Figures[id]
		if !ok || !g.Shown || g.W < 200 || g.H < 30 || g.Title == "" {
			t.Errorf("%s: figure %s is not seen: %+v", what, id, g)
		}
	}
	if len(ids) > 0 && f.Small < 6.4 {
		t.Errorf("%s: letters of %.1f px", what, f.Small)
	}
	for i, img := range f.Images {
		if img[0] < 32 || img[1] < 60 || img[2] == 0 {
			t.Errorf("%s: picture %d: %v wide, shown %v wide, alt text of %v letters", what, i, img[0], img[1], img[2])
		}
	}
}
