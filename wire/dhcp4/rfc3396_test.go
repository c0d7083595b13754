package dhcp4_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/lessee/lessee/wire/dhcp4"
)

// TestPiecesInOrder: RFC 3396 section 5: the fields options, file and sname, in this
// order and as far as they are in use, are one buffer; section 7: an option's
// pieces are joined in the order in which they stand there.
func TestPiecesInOrder(t *testing.T) {
	t.Parallel()
	pieces := func(overload byte) []byte {
		return with(raw(53, 1, 5, 119, 2, 'a', 'b', 52, 1, overload, 119, 1, 'c', 255), func(b []byte) {
			copy(b[108:], []byte{119, 1, 'd', 3, 4, 10, 0, 0, 1, 119, 1, 'e', 255})
			copy(b[44:], []byte{119, 2, 'f', 'g', 255})
		})
	}
	for _, tt := range []struct {
		name     string
		overload byte
		want     string
	}{
		{"file", 1, "abcde"},
		{"sname", 2, "abcfg"},
		{"file before sname", 3, "abcdefg"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := mustParse(t, pieces(tt.overload))
			if v, ok := p.Option(dhcp4.OptionDomainSearch); !ok || string(v) != tt.want {
				t.Errorf("joined value is %q, %v, want %q", v, ok, tt.want)
			}
		})
	}
}

// TestSplitWhereverItMay: RFC 3396 section 7: where an option was split has no
// meaning, even amid an address.
func TestSplitWhereverItMay(t *testing.T) {
	t.Parallel()
	value := []byte{10, 0, 0, 1, 10, 0, 0, 2, 10, 0, 0, 3}
	for cut := range len(value) + 1 {
		options := []byte{53, 1, 5, 6, byte(cut)}
		options = append(options, value[:cut]...)
		options = append(options, 15, 3, 'l', 'a', 'b', 6, byte(len(value)-cut))
		options = append(append(options, value[cut:]...), 255)
		got, ok := mustParse(t, raw(options...)).Addrs(dhcp4.OptionDNS)
		if !ok || len(got) != 3 || got[0] != addr("10.0.0.1") || got[1] != addr("10.0.0.2") || got[2] != addr("10.0.0.3") {
			t.Errorf("cut after %d bytes: %v, %v", cut, got, ok)
		}
	}
}

// TestLongOptionIsSplit: RFC 3396 section 6: what is longer than 255 bytes
// leaves in pieces of 255 and a rest, in their order, in the options field.
func TestLongOptionIsSplit(t *testing.T) {
	t.Parallel()
	value := bytes.Repeat([]byte("0123456789"), 60)
	b := dhcp4.NewBuilder(dhcp4.OpRequest, 1, []byte{2, 0, 0, 0, 0, 1}, 7)
	b.AddOption(dhcp4.OptionUserClass, value)
	p := mustParse(t, b.Bytes())
	var sizes []int
	var joined []byte
	for code, v := range p.Options() {
		if code == dhcp4.OptionUserClass {
			sizes = append(sizes, len(v))
			joined = append(joined, v...)
		}
	}
	if !slices.Equal(sizes, []int{255, 255, 90}) || !bytes.Equal(joined, value) {
		t.Errorf("pieces of %v bytes, %d in all", sizes, len(joined))
	}
	if _, overloaded := p.Option(dhcp4.OptionOverload); overloaded {
		t.Error("the pieces use file or sname")
	}
}
