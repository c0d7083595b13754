package reason_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/lessee/lessee/internal/words/wordstest"
	"github.com/lessee/lessee/reason"
)

// Each reason is declared once, has a name of small words, and names fields that exist.
func TestTable(t *testing.T) {
	t.Parallel()
	name := regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)
	seen := make(map[reason.Reason]bool)
	used := make(map[reason.Field]bool)
	for _, d := range reason.Table() {
		if !name.MatchString(d.Reason.String()) || seen[d.Reason] || len(d.Reason) > 32 {
			t.Errorf("%q is a bad name, or there twice", d.Reason)
		}
		seen[d.Reason] = true
		full := wordstest.Filled(d.Reason)
		empty := reason.Cause{Reason: d.Reason}
		for _, f := range append(append([]reason.Field{}, d.Needs...), d.May...) {
			used[f] = true
			if _, ok := full.Get(f); !ok {
				t.Errorf("%s: no field %q", d.Reason, f)
			}
			if v, ok := empty.Get(f); ok && f != reason.FieldField && f != reason.FieldValue {
				t.Errorf("%s: %q is %v where nothing was set", d.Reason, f, v)
			}
		}
		if !full.Complete() || empty.Complete() && len(d.Needs) > 0 && d.Needs[0] != reason.FieldField {
			t.Errorf("%s: complete with all fields: %v, with none: %v", d.Reason, full.Complete(), empty.Complete())
		}
		if got, ok := reason.Define(d.Reason); !ok || got.Reason != d.Reason {
			t.Errorf("%s is not found", d.Reason)
		}
	}
	// Every field of the type is some reason's, and JSON calls it the same.
	typ := reflect.TypeFor[reason.Cause]()
	for i := range typ.NumField() {
		tag, _, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
		if f := reason.Field(tag); f != "reason" && !used[f] {
			t.Errorf("no reason has the field %q", f)
		}
		delete(used, reason.Field(tag))
	}
	for f := range used {
		t.Errorf("JSON has no field %q", f)
	}
	future := reason.Cause{Reason: "of-the-future"}
	if future.Complete() {
		t.Error("a reason of the future is known")
	}
	if _, ok := future.Get("colour"); ok {
		t.Error("a field of the future is known")
	}
}

func TestJSON(t *testing.T) {
	t.Parallel()
	for _, c := range []reason.Cause{{}, {Reason: reason.NoLink}, wordstest.Filled(reason.NoServer)} {
		data, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		var back reason.Cause
		if err := json.Unmarshal(data, &back); err != nil || !reflect.DeepEqual(back, c) {
			t.Errorf("%s came back as %+v, %v", data, back, err)
		}
	}
	if data, _ := json.Marshal(reason.Cause{Reason: reason.NoServer, Timeout: reason.Duration(20 * time.Second)}); string(data) != `{"reason":"no-server","timeout":"20s"}` {
		t.Errorf("got %s", data)
	}
}

func TestString(t *testing.T) {
	t.Parallel()
	c := reason.Cause{Reason: reason.SendFailed, Message: "REQUEST", Fault: &reason.Fault{Text: "network is down"}, Path: "of another reason"}
	if got := c.String(); got != "send-failed message=REQUEST fault=network is down" {
		t.Errorf("got %q", got)
	}
}

func TestFaultOf(t *testing.T) {
	t.Parallel()
	f := &reason.Fault{During: "save", Text: "no space left on device", Errno: 28}
	if got := reason.FaultOf(fmt.Errorf("around: %w", f)); got != f {
		t.Errorf("got %v", got)
	}
	if got := reason.FaultOf(errors.New("trouble")); got.Text != "trouble" || got.Errno != 0 || got.Error() != "trouble" {
		t.Errorf("got %v", got)
	}
	if reason.FaultOf(nil) != nil || f.Error() != "save: no space left on device" {
		t.Error("nil has a fault, or a fault no text")
	}
}

func TestPack(t *testing.T) {
	t.Parallel()
	fault := &reason.Fault{During: "c0: add address", Text: "operation not permitted", Errno: 1}
	for _, c := range []reason.Cause{
		{},
		{Reason: reason.AnotherDaemon},
		{Reason: reason.AnotherClient, Manager: "dhcpcd", How: "pid 7"},
		{Reason: reason.SendFailed, Message: "REQUEST", Fault: fault},
		{Reason: reason.LeaseUnsaved, Fault: &reason.Fault{Text: "full"}},
	} {
		packed := c.Pack()
		if back := reason.Unpack(packed); !reflect.DeepEqual(back, c) {
			t.Errorf("%q: came back as %v, want %v", packed, &back, &c)
		}
		for n := range len(packed) {
			cut := reason.Unpack(packed[:n])
			if n > len(c.Reason) && cut.Reason != c.Reason {
				t.Errorf("%q: the reason became %q", packed[:n], cut.Reason)
			}
		}
	}
	for _, d := range reason.Table() {
		full := wordstest.Filled(d.Reason)
		back := reason.Unpack(full.Pack())
		for _, f := range append(append([]reason.Field{}, d.Needs...), d.May...) {
			if f == reason.FieldExpires {
				continue
			}
			was, _ := full.Get(f)
			is, ok := back.Get(f)
			if !ok || !reflect.DeepEqual(was, is) {
				t.Errorf("%v: %s came back as %v, want %v", d.Reason, f, is, was)
			}
		}
	}
	c := reason.Cause{Reason: reason.AnotherClient, Manager: "a\x1fb", How: "c"}
	if back := reason.Unpack(c.Pack()); back.Manager != "a?b" || back.How != "c" {
		t.Errorf("a separator in a field: %v", &back)
	}
}
