package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// A row is one measure for every client.
type row struct {
	name string
	unit func(float64) string
	// values are the samples of each client; absent if it has no such thing.
	values map[string][]float64
	// floor names the row whose first value the ratio in brackets refers to;
	// where it is empty, the ratio is to lessee.
	note string
}

func (r *row) add(client string, v float64) {
	if r.values == nil {
		r.values = map[string][]float64{}
	}
	r.values[client] = append(r.values[client], v)
}

// median returns the middle of the samples; false if there are none.
func median(v []float64) (float64, bool) {
	if len(v) == 0 {
		return 0, false
	}
	v = slices.Sorted(slices.Values(v))
	if n := len(v); n%2 == 0 {
		return (v[n/2-1] + v[n/2]) / 2, true
	}
	return v[len(v)/2], true
}

// milliseconds takes seconds.
func milliseconds(v float64) string {
	ms := v * 1000
	switch {
	case ms < 10:
		return fmt.Sprintf("%.2f ms", ms)
	case ms < 100:
		return fmt.Sprintf("%.1f ms", ms)
	default:
		return fmt.Sprintf("%.0f ms", ms)
	}
}

func kibibytes(v float64) string { return fmt.Sprintf("%.1f KiB", v/1024) }

func whole(v float64) string { return fmt.Sprintf("%.0f", v) }

func count(v float64) string {
	if v > -0.005 && v < 0.005 {
		return "0"
	}
	return fmt.Sprintf("%.2f", v)
}

// cells renders the rows: medians, and beside each what multiple of lessee's
// value it is; for lessee what multiple of the floor, where the row is a time.
func cells(rows []*row, clients []string, missing map[string]string, floor float64) [][]string {
	out := [][]string{append([]string{"median of each"}, clients...)}
	for _, r := range rows {
		line := []string{r.name}
		ours, has := median(r.values["lessee"])
		for _, c := range clients {
			v, ok := median(r.values[c])
			switch {
			case missing[c] != "":
				line = append(line, missing[c])
			case !ok:
				line = append(line, "-")
			case c == "lessee" && r.note == "floor" && floor > 0:
				line = append(line, fmt.Sprintf("%s (%.1fx floor)", r.unit(v), v/floor))
			case c != "lessee" && has && ours > 0 && r.note != "plain":
				line = append(line, fmt.Sprintf("%s (%.1fx)", r.unit(v), v/ours))
			default:
				line = append(line, r.unit(v))
			}
		}
		out = append(out, line)
	}
	return out
}

// print writes the table, in columns or as Markdown.
func printTable(w io.Writer, lines [][]string, markdown bool) {
	widths := make([]int, len(lines[0]))
	for _, l := range lines {
		for i, c := range l {
			widths[i] = max(widths[i], utf8.RuneCountInString(c))
		}
	}
	for n, l := range lines {
		var b strings.Builder
		for i, c := range l {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(c))
			switch {
			case markdown && i == 0:
				b.WriteString("| " + c + pad + " |")
			case markdown:
				b.WriteString(" " + pad + c + " |")
			case i == 0:
				b.WriteString(c + pad)
			default:
				b.WriteString("  " + pad + c)
			}
		}
		fmt.Fprintln(w, b.String())
		if markdown && n == 0 {
			fmt.Fprint(w, "|")
			for i := range l {
				if i == 0 {
					fmt.Fprint(w, strings.Repeat("-", widths[i]+2)+"|")
				} else {
					fmt.Fprint(w, strings.Repeat("-", widths[i]+1)+":|")
				}
			}
			fmt.Fprintln(w)
		}
	}
}
