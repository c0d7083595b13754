package cli

import (
	"strings"
	"unicode/utf8"
)

// A table is cells in aligned columns. Its cells are text of one column per rune.
type table struct {
	head []string
	rows [][]string
	// shrink lists the columns that may be cut on a narrow terminal, in the
	// order in which they are, and shortest what is left of each.
	shrink   []int
	shortest int
	// paint colours a cell that has been padded; nil: no colours.
	paint func(column int, cell string) string
}

// render returns the table's lines, at most width columns wide where that can
// be; 0 is unlimited. Cells are two columns apart, or one where it is narrow.
func (t *table) render(width int) string {
	sizes := make([]int, len(t.head))
	for _, row := range append([][]string{t.head}, t.rows...) {
		for i, cell := range row {
			sizes[i] = max(sizes[i], utf8.RuneCountInString(cell))
		}
	}
	gap := 2
	total := func() int {
		n := gap * (len(sizes) - 1)
		for _, s := range sizes {
			n += s
		}
		return n
	}
	if width > 0 && total() > width {
		gap = 1
		for _, i := range t.shrink {
			if over := total() - width; over > 0 {
				sizes[i] = max(sizes[i]-over, min(sizes[i], t.shortest))
			}
		}
	}
	var b strings.Builder
	line := func(row []string, paint func(int, string) string) {
		for i, cell := range row {
			if n := utf8.RuneCountInString(cell); n > sizes[i] {
				cell = string([]rune(cell)[:sizes[i]-1]) + "…"
			}
			pad := strings.Repeat(" ", sizes[i]-utf8.RuneCountInString(cell))
			if paint != nil {
				cell = paint(i, cell)
			}
			b.WriteString(cell)
			if i < len(row)-1 {
				b.WriteString(pad)
				b.WriteString(strings.Repeat(" ", gap))
			}
		}
		b.WriteByte('\n')
	}
	line(t.head, nil)
	for _, row := range t.rows {
		line(row, t.paint)
	}
	return b.String()
}

// pairs renders keys and values in two columns, one fact a line.
func pairs(facts [][2]string, paint func(key string) string) string {
	size := 0
	for _, f := range facts {
		size = max(size, utf8.RuneCountInString(f[0]))
	}
	var b strings.Builder
	for _, f := range facts {
		b.WriteString(paint(f[0]))
		b.WriteString(strings.Repeat(" ", size-utf8.RuneCountInString(f[0])+2))
		b.WriteString(f[1])
		b.WriteByte('\n')
	}
	return b.String()
}
