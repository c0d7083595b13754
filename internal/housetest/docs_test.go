package housetest

import (
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	markdownLink = regexp.MustCompile(`\[[^\]]*\]\(([^)\s]+)\)`)
	codeSpan     = regexp.MustCompile("`[^`]*`")
	heading      = regexp.MustCompile(`^#{1,6}\s+(.*)$`)
	notInAnchor  = regexp.MustCompile(`[^\p{L}\p{N}\- _]`)
)

// prose returns the lines of a Markdown file, those of code blocks emptied.
func prose(f file) []string {
	lines := f.lines()
	code := false
	for i, l := range lines {
		fence := strings.HasPrefix(strings.TrimSpace(l), "```")
		if fence || code {
			lines[i] = ""
		}
		if fence {
			code = !code
		}
	}
	return lines
}

// anchors returns the names that the headings of a Markdown file can be linked by.
func anchors(f file) []string {
	var names []string
	for _, l := range prose(f) {
		if m := heading.FindStringSubmatch(l); m != nil {
			text := markdownLink.ReplaceAllStringFunc(m[1], func(s string) string { return s[1:strings.Index(s, "]")] })
			name := notInAnchor.ReplaceAllString(strings.ToLower(text), "")
			names = append(names, strings.ReplaceAll(name, " ", "-"))
		}
	}
	return names
}

func TestLinksInDocsResolve(t *testing.T) {
	t.Parallel()
	top := root(t)
	links := 0
	for _, f := range tree(t) {
		if !f.isMarkdown() {
			continue
		}
		for i, l := range prose(f) {
			for _, m := range markdownLink.FindAllStringSubmatch(codeSpan.ReplaceAllString(l, "``"), -1) {
				u, err := url.Parse(m[1])
				if err != nil {
					t.Errorf("%s:%d: %v", f.path, i+1, err)
					continue
				}
				if u.IsAbs() {
					continue
				}
				links++
				target := f.path
				if u.Path != "" {
					target = path.Join(path.Dir(f.path), u.Path)
				}
				if _, err := os.Stat(filepath.Join(top, filepath.FromSlash(target))); err != nil {
					t.Errorf("%s:%d: link to %s, which does not exist", f.path, i+1, m[1])
					continue
				}
				if u.Fragment != "" && !slices.Contains(anchors(find(t, target)), u.Fragment) {
					t.Errorf("%s:%d: link to %s, but that page has no such heading", f.path, i+1, m[1])
				}
			}
		}
	}
	if links < 10 {
		t.Errorf("only %d links looked at: the test does not find them", links)
	}
}

func TestAnchors(t *testing.T) {
	t.Parallel()
	got := anchors(file{"x.md", "# Title\n## `lessee up` and [down](x.md): now!\n```\n# code\n```\n### IPv4 + ARP\n"})
	want := []string{"title", "lessee-up-and-down-now", "ipv4--arp"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestLicenceIsThere(t *testing.T) {
	t.Parallel()
	if text := find(t, "LICENSE").text; !strings.Contains(text, "Apache License") || !strings.Contains(text, "9. Accepting Warranty") {
		t.Error("LICENSE is not the full text of the Apache License 2.0")
	}
}

func TestChangelogHasAnUnreleasedSection(t *testing.T) {
	t.Parallel()
	if !slices.Contains(find(t, "CHANGELOG.md").lines(), "## [Unreleased]") {
		t.Error("CHANGELOG.md has no section for what is not released yet")
	}
}

func TestDecisionsHaveTheirForm(t *testing.T) {
	t.Parallel()
	index := find(t, "docs/adr/README.md")
	number := regexp.MustCompile(`^docs/adr/(\d{4})-[a-z0-9-]+\.md$`)
	seen := map[string]bool{}
	for _, f := range tree(t) {
		if path.Dir(f.path) != "docs/adr" || f.path == index.path {
			continue
		}
		m := number.FindStringSubmatch(f.path)
		if m == nil {
			t.Errorf("%s: a decision's file is named NNNN-title.md", f.path)
			continue
		}
		if seen[m[1]] {
			t.Errorf("%s: the number is taken", f.path)
		}
		seen[m[1]] = true
		if !strings.HasPrefix(f.text, "# "+m[1]+": ") {
			t.Errorf("%s: the title does not begin with its number", f.path)
		}
		for _, h := range []string{"## Context", "## Decision", "## Consequences"} {
			if !slices.Contains(f.lines(), h) {
				t.Errorf("%s: no %q", f.path, h)
			}
		}
		if !strings.Contains(index.text, "("+path.Base(f.path)+")") {
			t.Errorf("%s is not listed in %s", f.path, index.path)
		}
	}
	if len(seen) == 0 {
		t.Error("no decisions found")
	}
}

func TestReadmeOpensWithTheTwoCommands(t *testing.T) {
	t.Parallel()
	lines := find(t, "README.md").lines()
	head := strings.Join(lines[:min(len(lines), 12)], "\n")
	for _, c := range []string{"go run ./cmd/lessee demo", "make test"} {
		if !strings.Contains(head, c) {
			t.Errorf("the first lines of README.md do not have %q", c)
		}
	}
}

// Each reason not to use a packet has one line of documentation.
func TestRejectionsAreDocumented(t *testing.T) {
	t.Parallel()
	var names, documented []string
	for _, m := range regexp.MustCompile(`Reject\w+:\s+\{"([a-z0-9-]+)",`).FindAllStringSubmatch(find(t, "dhcp4/rejection.go").text, -1) {
		names = append(names, m[1])
	}
	for _, m := range regexp.MustCompile(`Refuse\w+:\s+"([a-z0-9-]+)",`).FindAllStringSubmatch(find(t, "internal/linux/packet/types.go").text, -1) {
		names = append(names, m[1])
	}
	for _, m := range regexp.MustCompile("(?m)^\\| `rejected\\.([a-z0-9-]+)` \\| .+ \\|$").FindAllStringSubmatch(find(t, "docs/troubleshooting.md").text, -1) {
		documented = append(documented, m[1])
	}
	slices.Sort(names)
	slices.Sort(documented)
	if len(names) == 0 || !slices.Equal(names, documented) {
		t.Errorf("dhcp4/rejection.go and internal/linux/packet/types.go name %q, docs/troubleshooting.md %q", names, documented)
	}
}
