package lessee_test

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/errno"
)

// What a text was made of travels with it.
func TestErrorTexts(t *testing.T) {
	t.Parallel()
	until := time.Date(2026, 1, 2, 14, 2, 3, 0, time.UTC)
	e := &lessee.Error{Op: "renew", Adapter: "eth0", Code: errno.ERROR_SEM_TIMEOUT}
	_ = e.SetDetail("no DHCP server answered in %s", 20*time.Second).SetHint("the lease of %s, number %d, stays valid until %s", "eth0", 7, until)
	if e.Detail != "no DHCP server answered in 20s" || e.Hint != "the lease of eth0, number 7, stays valid until 14:02:03" {
		t.Errorf("got %q, %q", e.Detail, e.Hint)
	}
	data, err := json.Marshal(e)
	const want = `{"code":121,"name":"ERROR_SEM_TIMEOUT","op":"renew","adapter":"eth0",` +
		`"detail":"no DHCP server answered in 20s","hint":"the lease of eth0, number 7, stays valid until 14:02:03",` +
		`"detail_format":"no DHCP server answered in %s","detail_args":[{"duration":"20s"}],` +
		`"hint_format":"the lease of %s, number %d, stays valid until %s","hint_args":["eth0",7,{"time":"2026-01-02T14:02:03Z"}]}`
	if err != nil || string(data) != want {
		t.Errorf("got %s, %v\nwant %s", data, err, want)
	}
	var back lessee.Error
	if err := json.Unmarshal(data, &back); err != nil || !reflect.DeepEqual(back.HintArgs, e.HintArgs) || back.HintFormat != e.HintFormat {
		t.Errorf("came back as %+v, %v", back, err)
	}
	if again, err := json.Marshal(&back); err != nil || string(again) != want {
		t.Errorf("written again as %s, %v", again, err)
	}

	_ = e.SetDetail("it is off: 100%")
	if e.Detail != "it is off: 100%" || e.DetailFormat != "" || e.DetailArgs != nil {
		t.Errorf("a text without arguments: %+v", e)
	}
}

// Arguments of a form that a later version may have are shown as they are.
func TestArgsOfTheFuture(t *testing.T) {
	t.Parallel()
	var a lessee.Args
	if err := json.Unmarshal([]byte(`["x", 1.5, null, {"duration":"soon"}, {"colour":"red"}, [1], true]`), &a); err != nil {
		t.Fatal(err)
	}
	want := lessee.Args{"x", "1.5", "", `{"duration":"soon"}`, `{"colour":"red"}`, "[1]", "true"}
	if !reflect.DeepEqual(a, want) {
		t.Errorf("got %#v", a)
	}
	if err := json.Unmarshal([]byte(`{"a":1}`), &a); err == nil {
		t.Error("an object was taken for an array")
	}
	if _, err := json.Marshal(lessee.Args{struct{}{}}); err == nil {
		t.Error("an argument without a form in JSON was written")
	}
}
