package dhcp4_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/lessee/lessee/wire/dhcp4"
)

func TestDomainSearch(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("\x3f"+strings.Repeat("a", 63), 3) + "\x3d" + strings.Repeat("b", 61) + "\x00"
	for _, tt := range []struct {
		name, value string
		want        []string
	}{
		{"one", "\x03lab\x04test\x00", []string{"lab.test"}},
		// The example of RFC 3397 section 2.
		{
			"RFC 3397", "\x03eng\x05apple\x03com\x00\x09marketing\xc0\x04",
			[]string{"eng.apple.com", "marketing.apple.com"},
		},
		{"pointer to a pointer", "\x01a\x00\x01b\xc0\x00\x01c\xc0\x03", []string{"a", "b.a", "c.b.a"}},
		{"pointer alone", "\x01a\x00\xc0\x00", []string{"a", "a"}},
		{"longest", long, []string{strings.Repeat(strings.Repeat("a", 63)+".", 3) + strings.Repeat("b", 61)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := dhcp4.ParseDomainSearch([]byte(tt.value))
			if err != nil || !slices.Equal(texts(got), tt.want) {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

func TestDomainSearchRefuses(t *testing.T) {
	t.Parallel()
	label := "\x3f" + strings.Repeat("a", 63)
	for _, tt := range []struct {
		name, value string
		reason      dhcp4.Reason
		offset      int
	}{
		{"nothing", "", dhcp4.ReasonNameTruncated, 0},
		{"no final zero", "\x03lab", dhcp4.ReasonNameTruncated, 0},
		{"label cut off", "\x01a\x00\x04lab", dhcp4.ReasonNameTruncated, 3},
		{"pointer cut off", "\x01a\xc0", dhcp4.ReasonNameTruncated, 0},
		{"pointer to itself", "\xc0\x00", dhcp4.ReasonNamePointer, 0},
		{"pointer into its own name", "\x01a\xc0\x00", dhcp4.ReasonNamePointer, 2},
		{"pointer forward", "\xc0\x02\x01a\x00", dhcp4.ReasonNamePointer, 0},
		{"pointers in a circle", "\x01a\xc0\x04\xc0\x00", dhcp4.ReasonNamePointer, 2},
		{"pointer beyond the end", "\x01a\x00\xff\xff", dhcp4.ReasonNamePointer, 3},
		{"reserved form 01", "\x40a\x00", dhcp4.ReasonNameLabel, 0},
		{"reserved form 10", "\x01a\x80\x00", dhcp4.ReasonNameLabel, 2},
		{"256 bytes", strings.Repeat(label, 3) + "\x3e" + strings.Repeat("b", 62) + "\x00", dhcp4.ReasonNameTooLong, 0},
		{"root", "\x00", dhcp4.ReasonBadName, 0},
		{"dot in a label", "\x03a.b\x00", dhcp4.ReasonBadName, 0},
		{"dot as a label", "\x01.\x00", dhcp4.ReasonBadName, 0},
		{"newline", "\x01a\x00\x03b\nc\x00", dhcp4.ReasonBadName, 3},
		{"space", "\x03b c\x00", dhcp4.ReasonBadName, 0},
		{"not ASCII", "\x02\xc3\xa9\x00", dhcp4.ReasonBadName, 0},
		{
			"a short value for a long list",
			strings.Repeat(label, 3) + "\x00" + strings.Repeat("\xc0\x00", 30), dhcp4.ReasonSearchTooLong, 193 + 20*2,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			names, err := dhcp4.ParseDomainSearch([]byte(tt.value))
			if names != nil {
				t.Errorf("names %q beside the error", names)
			}
			wantReason(t, err, tt.reason, tt.offset)
		})
	}
}

// A name counts as its text and a separator: 2048 times "a " is just allowed.
func TestDomainSearchLength(t *testing.T) {
	t.Parallel()
	value := bytes.Repeat([]byte("\x01a\x00"), dhcp4.MaxSearchLength/2)
	if names, err := dhcp4.ParseDomainSearch(value); err != nil || len(names) != dhcp4.MaxSearchLength/2 {
		t.Errorf("%d names, %v", len(names), err)
	}
	_, err := dhcp4.ParseDomainSearch(append(value, 1, 'a', 0))
	wantReason(t, err, dhcp4.ReasonSearchTooLong, len(value))
}

// A name that spans two pieces of the option is whole once they are joined.
func TestDomainSearchInPieces(t *testing.T) {
	t.Parallel()
	p := mustParse(t, slices.Concat(raw(119, 3, 3, 'l', 'a'), []byte{119, 7, 'b', 4}, []byte("test\x00"), []byte{255}))
	v, _ := p.Option(dhcp4.OptionDomainSearch)
	if got, err := dhcp4.ParseDomainSearch(v); err != nil || !slices.Equal(texts(got), []string{"lab.test"}) {
		t.Errorf("got %q, %v", got, err)
	}
}
