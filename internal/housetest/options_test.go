package housetest

import (
	"regexp"
	"slices"
	"strconv"
	"testing"

	"github.com/lessee/lessee/internal/option"
)

// Each option that the API has a field for is documented under its number.
func TestOptionsAreDocumented(t *testing.T) {
	t.Parallel()
	type entry struct {
		field string
		code  uint8
	}
	var documented, want []entry
	for _, r := range rows(find(t, "docs/api.md")) {
		if r.cell("option") == "" || r.cell("option") == "all others, and 43" {
			continue
		}
		field := regexp.MustCompile("`([a-z_]+)`").FindStringSubmatch(r.cell("field of `ipv4`"))
		if field == nil {
			t.Fatalf("docs/api.md:%d: no field", r.line)
		}
		for _, n := range regexp.MustCompile(`\d+`).FindAllString(r.cell("option"), -1) {
			code, err := strconv.ParseUint(n, 10, 8)
			if err != nil {
				t.Fatal(err)
			}
			documented = append(documented, entry{field[1], uint8(code)})
		}
	}
	for code, row := range option.All() {
		if row.JSON != "" {
			want = append(want, entry{row.JSON, code})
		}
	}
	slices.SortFunc(documented, func(a, b entry) int { return int(a.code) - int(b.code) })
	if !slices.Equal(documented, want) {
		t.Errorf("docs/api.md has %v, the table of options %v", documented, want)
	}
}

// The constants of package wire/dhcp4 have names in the table.
func TestOptionsHaveNames(t *testing.T) {
	t.Parallel()
	constants := regexp.MustCompile(`(?m)^\t(Option\w+)\s+OptionCode = (\d+)`).FindAllStringSubmatch(find(t, "wire/dhcp4/option.go").text, -1)
	if len(constants) < 50 {
		t.Errorf("only %d constants found", len(constants))
	}
	for _, c := range constants {
		if code, err := strconv.ParseUint(c[2], 10, 8); err != nil || option.Name(uint8(code)) == "" {
			t.Errorf("%s has no name: %v", c[1], err)
		}
	}
}
