package dhcp4_test

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lessee/lessee/wire/dhcp4"
)

// RFC 3004, section 4: each class with its length.
func TestAppendUserClass(t *testing.T) {
	t.Parallel()
	got := dhcp4.AppendUserClass([]byte{9}, []byte("mobile"), nil, make([]byte, 256), []byte("a"))
	if string(got) != "\x09\x06mobile\x01a" {
		t.Errorf("%q", got)
	}
}

// RFC 3925, section 3: enterprise number, length, data.
func TestVendorClasses(t *testing.T) {
	t.Parallel()
	classes := []dhcp4.VendorClass{{4491, []byte("docsis3.0")}, {0xfffffffe, []byte{}}}
	value := dhcp4.AppendVendorClasses(nil, append(classes, dhcp4.VendorClass{Data: make([]byte, 256)})...)
	if want := "\x00\x00\x11\x8b\x09docsis3.0\xff\xff\xff\xfe\x00"; string(value) != want {
		t.Errorf("%q, want %q", value, want)
	}
	got, err := dhcp4.ParseVendorClasses(value)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(classes, got); d != "" {
		t.Error(d)
	}
}

// RFC 3925, section 4: enterprise number, length, suboptions.
func TestVendorOptions(t *testing.T) {
	t.Parallel()
	vendors := []dhcp4.VendorOptions{
		{4491, []dhcp4.SubOption{{2, []byte{10, 0, 0, 1}}, {0, []byte{}}, {255, []byte("x")}}},
		{9, nil},
	}
	value := dhcp4.AppendVendorOptions(nil, append(vendors, dhcp4.VendorOptions{7, []dhcp4.SubOption{{1, make([]byte, 256)}}})...)
	if want := "\x00\x00\x11\x8b\x0b\x02\x04\x0a\x00\x00\x01\x00\x00\xff\x01x\x00\x00\x00\x09\x00\x00\x00\x00\x07\x00"; string(value) != want {
		t.Errorf("%q, want %q", value, want)
	}
	got, err := dhcp4.ParseVendorOptions(value)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(append(vendors, dhcp4.VendorOptions{7, nil}), got); d != "" {
		t.Error(d)
	}
	// Each fits, together they do not.
	half := dhcp4.SubOption{1, make([]byte, 200)}
	if got := dhcp4.AppendVendorOptions(nil, dhcp4.VendorOptions{7, []dhcp4.SubOption{half, half}}); len(got) != 0 {
		t.Errorf("%d bytes for an entry that does not fit", len(got))
	}
}

func TestVendorErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		value  string
		offset int
	}{
		{"", 0},
		{"\x00\x00\x00\x09", 0},
		{"\x00\x00\x00\x09\x01", 0},
		{"\x00\x00\x00\x09\x00\x00", 5},
	} {
		_, err := dhcp4.ParseVendorClasses([]byte(c.value))
		wantReason(t, err, dhcp4.ReasonValueTruncated, c.offset)
		_, err = dhcp4.ParseVendorOptions([]byte(c.value))
		wantReason(t, err, dhcp4.ReasonValueTruncated, c.offset)
	}
	for _, value := range []string{"\x00\x00\x00\x09\x01\x01", "\x00\x00\x00\x09\x03\x01\x02a"} {
		got, err := dhcp4.ParseVendorOptions([]byte(value))
		wantReason(t, err, dhcp4.ReasonValueTruncated, 5)
		if got != nil {
			t.Errorf("%v with an error", got)
		}
	}
}

// FuzzVendor: what was read is written as the same bytes.
func FuzzVendor(f *testing.F) {
	f.Add([]byte("\x00\x00\x11\x8b\x09docsis3.0\xff\xff\xff\xfe\x00"))
	f.Add([]byte("\x00\x00\x11\x8b\x0b\x02\x04\x0a\x00\x00\x01\x00\x00\xff\x01x"))
	f.Fuzz(func(t *testing.T, value []byte) {
		classes, err := dhcp4.ParseVendorClasses(value)
		if err != nil {
			checkError(t, err, len(value))
		} else if got := dhcp4.AppendVendorClasses(nil, classes...); !bytes.Equal(got, value) {
			t.Fatalf("%q became %q", value, got)
		}
		options, err := dhcp4.ParseVendorOptions(value)
		if err != nil {
			checkError(t, err, len(value))
		} else if got := dhcp4.AppendVendorOptions(nil, options...); !bytes.Equal(got, value) {
			t.Fatalf("%q became %q", value, got)
		}
	})
}
