package option

import (
	"net/netip"
	"reflect"
	"strings"
	"testing"
)

// tags returns the names in JSON of a struct's fields, by the fields' offsets.
func tags(v any) map[uintptr]string {
	t, all := reflect.TypeOf(v), map[uintptr]string{}
	for i := range t.NumField() {
		f := t.Field(i)
		all[f.Offset], _, _ = strings.Cut(f.Tag.Get("json"), ",")
	}
	return all
}

// Each row says all that it has to, and a field has the name in JSON that its row says.
func TestRowsAreWhole(t *testing.T) {
	t.Parallel()
	var servers Servers
	var texts Texts
	fields := map[string]bool{}
	for code, r := range All() {
		plain := r.AddrsField != nil || r.TextField != nil
		switch {
		case (r.JSON == "") != (r.Label == ""):
			t.Errorf("option %d: field %q, label %q", code, r.JSON, r.Label)
		case r.Use == HandedOn && (r.JSON == "" || r.Record == ""):
			t.Errorf("option %d is handed on without a name", code)
		case r.Use == Unread && (r.JSON != "" || r.Record != ""):
			t.Errorf("option %d is not read, and has more than a name", code)
		case r.AddrsField != nil && r.TextField != nil, plain != (r.Doc != ""), plain && r.Use != HandedOn:
			t.Errorf("option %d: %+v", code, r)
		case plain && r.Record != r.JSON:
			t.Errorf("option %d: field %q, in the record %q", code, r.JSON, r.Record)
		}
		if !plain {
			continue
		}
		var tag string
		if r.AddrsField != nil {
			offset := reflect.ValueOf(r.AddrsField(&servers)).Pointer() - reflect.ValueOf(&servers).Pointer()
			tag = tags(servers)[offset]
		} else {
			offset := reflect.ValueOf(r.TextField(&texts)).Pointer() - reflect.ValueOf(&texts).Pointer()
			tag = tags(texts)[offset]
		}
		if tag != r.JSON || fields[tag] {
			t.Errorf("option %d: the row says %q, its field %q", code, r.JSON, tag)
		}
		fields[tag] = true
	}
	if n := len(tags(servers)) + len(tags(texts)) - 1; n != len(fields) { // NoCaptivePortal is no option of its own
		t.Errorf("%d fields, %d options have one", n, len(fields))
	}
}

func TestRows(t *testing.T) {
	t.Parallel()
	var s Servers
	*Of(42).AddrsField(&s) = []netip.Addr{netip.MustParseAddr("10.0.0.1")}
	if len(s.NTP) != 1 {
		t.Errorf("%+v", s)
	}
	var texts Texts
	if err := Of(252).TextField(&texts).UnmarshalText([]byte("http://wpad.test/")); err != nil || texts.WPAD.String() != "http://wpad.test/" {
		t.Errorf("%+v, %v", texts, err)
	}
	if Name(51) != "lease time" || Name(224) != "" || UseOf(224) != Unread || UseOf(51) != Client || UseOf(42) != HandedOn {
		t.Error("another table")
	}
}
