package recording

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/internal/core"
)

// version is that of the format: see the package's documentation.
const version = 1

// A header is the first line of a recording.
type header struct {
	Version int       `json:"lessee-recording"`
	Program string    `json:"program"`
	Began   time.Time `json:"began"`
}

// A line is any other one: an input, a call or the end.
type line struct {
	At     string          `json:"at"`
	In     string          `json:"in"`
	Ask    string          `json:"ask"`
	What   json.RawMessage `json:"what"`
	Answer json.RawMessage `json:"answer"`
	End    end             `json:"end"`
}

// An end is why a recording ended.
type end string

// The ends.
const (
	endStopped end = "stopped"     // the program ended
	endFull    end = "full"        // the recording has reached its size
	endBehind  end = "behind"      // the disk was too slow
	endFailed  end = "write-error" // the disk took no more
)

func (e end) String() string {
	switch e {
	case endStopped:
		return "the program was stopped"
	case endFull:
		return "it has reached its largest size; what came later was not recorded"
	case endBehind:
		return "the disk was too slow; what came later was not recorded"
	case endFailed:
		return "it could not be written; what came later was not recorded"
	}
	return string(e)
}

var (
	errUnknown = errors.New("a newer program wrote this")
	errNoForm  = errors.New("it is no line of a recording")
)

// inputs are all types of inputs of a core, by name.
var inputs = types(
	core.LinkChanged{}, core.Disturbed{}, core.Datagram{}, core.ARP{}, core.Neighbour{}, core.Manage{}, core.Up{}, core.Call{},
	core.Discover{}, core.Cancel{}, core.Prepared{}, core.Applied{}, core.Inspected{}, core.Persisted{}, core.Resolved{},
	core.ResolverChanged{}, core.Timeout{}, core.Left{},
)

func types(list ...core.Input) map[string]reflect.Type {
	m := make(map[string]reflect.Type, len(list))
	for _, in := range list {
		t := reflect.TypeOf(in)
		m[t.Name()] = t
	}
	return m
}

// calls are all types of calls, by the name of the method.
var calls = map[string]reflect.Type{
	"Prepare":          reflect.TypeFor[prepare](),
	"Leave":            reflect.TypeFor[leave](),
	"Apply":            reflect.TypeFor[apply](),
	"Inspect":          reflect.TypeFor[inspect](),
	"Solicit":          reflect.TypeFor[solicit](),
	"Desist":           reflect.TypeFor[desist](),
	"Open":             reflect.TypeFor[open](),
	"Close":            reflect.TypeFor[closeLink](),
	"Send":             reflect.TypeFor[send](),
	"Post":             reflect.TypeFor[post](),
	"SendARP":          reflect.TypeFor[sendARP](),
	"ListenARP":        reflect.TypeFor[listenARP](),
	"ListenForceRenew": reflect.TypeFor[listenForceRenew](),
	"Resolve":          reflect.TypeFor[resolve](),
	"Save":             reflect.TypeFor[save](),
	"Forget":           reflect.TypeFor[forget](),
	"Say":              reflect.TypeFor[say](),
	"Unmanageable":     reflect.TypeFor[unmanageable](),
	"Dropped":          reflect.TypeFor[dropped](),
	"Gone":             reflect.TypeFor[gone](),
	"Answer":           reflect.TypeFor[reply](),
	"Discovered":       reflect.TypeFor[discovered](),
	"Tenancy":          reflect.TypeFor[configure](),
}

var methods = func() map[reflect.Type]string {
	m := make(map[reflect.Type]string, len(calls))
	for name, t := range calls {
		m[t] = name
	}
	return m
}()

// appendInput appends the line of an input.
func (c codec) appendInput(b []byte, now boottime.Instant, in core.Input) []byte {
	v := reflect.ValueOf(in)
	b = appendString(append(b, `{"at":`...), now.String())
	b = appendString(append(b, `,"in":`...), v.Type().Name())
	b = c.append(append(b, `,"what":`...), v)
	return append(b, "}\n"...)
}

// appendCall appends the line of a call but for the answer, which appendAnswer appends.
func (c codec) appendCall(b []byte, ask call) []byte {
	v := reflect.ValueOf(ask)
	b = appendString(append(b, `{"ask":`...), methods[v.Type()])
	return c.append(append(b, `,"what":`...), v)
}

func (c codec) appendAnswer(b []byte, a answer) []byte {
	if v := reflect.ValueOf(a); !v.IsZero() {
		b = c.append(append(b, `,"answer":`...), v)
	}
	return append(b, "}\n"...)
}

func appendEnd(b []byte, e end) []byte {
	return append(appendString(append(b, `{"end":`...), string(e)), "}\n"...)
}

// An entry is a line that was read: an input, or a call and its answer, or the end.
type entry struct {
	at     boottime.Instant
	in     core.Input
	ask    call
	answer answer
	end    end
}

func parseHeader(text []byte) (header, error) {
	var h header
	if err := json.Unmarshal(text, &h); err != nil || h.Version < 1 {
		return h, errors.New("it is no recording of lessee")
	}
	if h.Version > version {
		return h, fmt.Errorf("%w: format %d, this one reads up to %d", errUnknown, h.Version, version)
	}
	return h, nil
}

func parseLine(text []byte) (e entry, err error) {
	var l line
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&l); err != nil {
		return e, err
	}
	switch {
	case l.In != "":
		t, known := inputs[l.In]
		if !known {
			return e, fmt.Errorf("%w: an input %q", errUnknown, l.In)
		}
		at, err := time.ParseDuration(l.At)
		if err != nil {
			return e, err
		}
		v, err := read(t, l.What)
		e.at = boottime.Instant(at)
		e.in, _ = v.(core.Input)
		return e, err
	case l.Ask != "":
		t, known := calls[l.Ask]
		if !known {
			return e, fmt.Errorf("%w: a call of %q", errUnknown, l.Ask)
		}
		v, err := read(t, l.What)
		e.ask, _ = v.(call)
		if err == nil && l.Answer != nil {
			err = decode(l.Answer, reflect.ValueOf(&e.answer).Elem())
		}
		return e, err
	case l.End != "":
		e.end = l.End
		return e, nil
	}
	return e, errNoForm
}

// read returns a value of a type.
func read(t reflect.Type, text []byte) (any, error) {
	v := reflect.New(t).Elem()
	if len(text) == 0 {
		return nil, errNoForm
	}
	err := decode(text, v)
	return v.Interface(), err
}
