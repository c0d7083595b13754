//go:build linux

package control

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/errno"
	"github.com/lessee/lessee/internal/option"
	"github.com/lessee/lessee/internal/words/wordstest"
	"github.com/lessee/lessee/reason"
)

func document(t testing.TB) (*openapi3.T, routers.Router) {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(openAPI())
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(context.Background()); err != nil {
		t.Fatal(err)
	}
	r, err := legacy.NewRouter(doc)
	if err != nil {
		t.Fatal(err)
	}
	return doc, r
}

func TestDocumentHasEveryRoute(t *testing.T) {
	t.Parallel()
	doc, _ := document(t)
	var want, got []string
	for path, item := range doc.Paths.Map() {
		for method := range item.Operations() {
			want = append(want, method+" "+path)
		}
	}
	for _, r := range NewServer(newFake(), Options{}).routes() {
		got = append(got, r.method+" "+r.path)
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("the server has\n%q\nthe document has\n%q", got, want)
	}
}

func TestDocumentKnowsEveryKindAndError(t *testing.T) {
	t.Parallel()
	doc, _ := document(t)
	// The fields of the Go types and of the document are the same.
	for name, v := range map[string]any{
		"Error": reason.Cause{}, "Cause": reason.Cause{}, "Fault": reason.Fault{}, "Adapter": lessee.Adapter{}, "IPv4": lessee.IPv4{},
		"Discovery": lessee.Discovery{}, "Offer": lessee.Offer{}, "Frame": lessee.Frame{}, "Story": lessee.Story{}, "Fact": lessee.Fact{}, "Event": lessee.Event{}, "Route": lessee.Route{}, "Version": lessee.VersionInfo{},
		"TimeZone": lessee.TimeZone{}, "SIP": lessee.SIP{}, "EncryptedDNS": lessee.EncryptedDNS{}, "FQDN": lessee.FQDN{},
		"Vendor": lessee.Vendor{}, "VendorOption": lessee.VendorOption{},
	} {
		got := jsonFields(v)
		if name == "Error" {
			got = append(got, "code", "name", "op", "adapter", "detail", "hint") // beside the cause: see Error.MarshalJSON
		}
		if name == "Frame" {
			got = append(got, "end") // of the last line, which is no frame
		}
		var want []string
		for field := range doc.Components.Schemas[name].Value.Properties {
			want = append(want, field)
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s: Go has %q, the document %q", name, got, want)
		}
	}
}

// The document has what tables declare.
func TestDocumentHasTheTables(t *testing.T) {
	t.Parallel()
	for _, place := range []string{eventsHere, optionsHere} {
		if strings.Count(template, place) != 1 || bytes.Contains(openAPI(), []byte(place)) {
			t.Errorf("%q is not filled in", place)
		}
	}
	doc, _ := document(t)
	kinds := doc.Components.Schemas["Event"].Value.Properties["kind"].Value.Enum
	if want := len(eventKinds()); want < 20 || len(kinds) != want {
		t.Errorf("%d kinds of events, want %d: %q", len(kinds), want, kinds)
	}
	for code, row := range option.All() {
		if row.JSON == "" {
			continue
		}
		field, ok := doc.Components.Schemas["IPv4"].Value.Properties[row.JSON]
		if !ok || row.Doc != "" && field.Value.Description != row.Doc {
			t.Errorf("option %d: the document has no such field %s", code, row.JSON)
		}
	}
}

// as is a caller for requests that come without a connection.
func as(r *http.Request, uid uint32) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), callerKey{}, &Caller{PID: 1, UID: uid, GID: uid, Groups: []uint32{}}))
}

// ask sends a request to the handlers and checks it and the answer against the
// document, as far as it knows them.
func ask(t *testing.T, s *Server, r routers.Router, req *http.Request, valid bool) *httptest.ResponseRecorder {
	t.Helper()
	body, err := io.ReadAll(req.Body)
	if err != nil {
		t.Fatal(err)
	}
	req.Body = io.NopCloser(bytes.NewReader(body))
	route, params, err := r.FindRoute(req)
	if err != nil {
		t.Fatalf("%s %s is not in the document: %v", req.Method, req.URL, err)
	}
	in := &openapi3filter.RequestValidationInput{Request: req, PathParams: params, Route: route}
	switch err := openapi3filter.ValidateRequest(context.Background(), in); {
	case valid && err != nil:
		t.Errorf("request: %v", err)
	case !valid && err == nil:
		t.Errorf("the document allows %s %s %q", req.Method, req.URL, body)
	}
	req.Body = io.NopCloser(bytes.NewReader(body))
	w := httptest.NewRecorder()
	s.dispatch(w, req)
	out := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: in, Status: w.Code, Header: w.Header(),
		Body:    io.NopCloser(bytes.NewReader(w.Body.Bytes())),
		Options: &openapi3filter.Options{IncludeResponseStatus: true},
	}
	if err := openapi3filter.ValidateResponse(context.Background(), out); err != nil {
		t.Errorf("answer %d %s: %v", w.Code, w.Body, err)
	}
	return w
}

func TestEveryAnswerIsInTheDocument(t *testing.T) {
	t.Parallel()
	openapi3filter.RegisterBodyDecoder("application/x-ndjson", openapi3filter.PlainBodyDecoder)
	openapi3filter.RegisterBodyDecoder("application/yaml", openapi3filter.PlainBodyDecoder)
	_, router := document(t)
	code := func(c errno.Errno) error {
		return &lessee.Error{Code: c, Cause: wordstest.Filled(reason.NoServer)}
	}
	for _, tc := range []struct {
		req    string // method, path, body
		err    error  // of the engine
		uid    uint32
		status int
		code   errno.Errno
		bad    bool // the document does not allow the request
	}{
		{req: "GET /v1/version", status: 200},
		{req: "GET /v1/adapters", status: 200},
		{req: "GET /v1/adapters", uid: 1000, status: 200},
		{req: "GET /v1/adapters/eth0", status: 200},
		{req: "GET /v1/adapters/uplink", status: 200},
		{req: "GET /v1/adapters/eth9", status: 404, code: errno.ERROR_FILE_NOT_FOUND},
		{req: "GET /v1/adapters/uplink/why", uid: 1000, status: 200},
		{req: "GET /v1/adapters/eth9/why", status: 200},
		{req: "GET /v1/adapters/eth0/why", err: context.Canceled, status: 499, code: errno.ERROR_CANCELLED},
		{req: "POST /v1/adapters/eth0/discover", status: 200},
		{req: `POST /v1/adapters/uplink/discover {"timeout":"3s"}`, status: 200},
		{req: "POST /v1/adapters/eth0/discover", uid: 1000, status: 403, code: errno.ERROR_ACCESS_DENIED},
		{req: "POST /v1/adapters/eth9/discover", status: 404, code: errno.ERROR_FILE_NOT_FOUND},
		{req: "POST /v1/adapters/eth0/discover", err: code(errno.ERROR_NO_NETWORK), status: 503, code: errno.ERROR_NO_NETWORK},
		{req: "POST /v1/adapters/eth0/discover", err: code(errno.ERROR_BUSY), status: 409, code: errno.ERROR_BUSY},
		{req: "POST /v1/adapters/eth0/discover", err: code(errno.ERROR_NOT_SUPPORTED), status: 501, code: errno.ERROR_NOT_SUPPORTED},
		{req: `POST /v1/adapters/eth0/discover {"keep":true}`, status: 400, code: errno.ERROR_INVALID_PARAMETER, bad: true},
		{req: "GET /v1/adapters/eth0/trace", status: 200},
		{req: "GET /v1/adapters/eth0/trace?arp=true", status: 200},
		{req: "GET /v1/adapters/eth0/trace", uid: 1000, status: 403, code: errno.ERROR_ACCESS_DENIED},
		{req: "GET /v1/adapters/eth9/trace", status: 404, code: errno.ERROR_FILE_NOT_FOUND},
		{req: "GET /v1/adapters/eth0/trace", err: code(errno.ERROR_BUSY), status: 409, code: errno.ERROR_BUSY},
		{req: "GET /v1/adapters/eth0/trace?arp=maybe", status: 400, code: errno.ERROR_INVALID_PARAMETER, bad: true},
		{req: "GET /v1/openapi.yaml", status: 200},
		{req: "GET /v1/events?adapter=eth9", status: 404, code: errno.ERROR_FILE_NOT_FOUND},
		{req: "POST /v1/adapters/eth0/renew", status: 204},
		{req: `POST /v1/adapters/eth0/renew {"timeout":"5s"}`, status: 204},
		{req: `POST /v1/adapters/uplink/release {}`, status: 204},
		{req: `POST /v1/adapters/eth0/up {"timeout":"1m30s"}`, status: 204},
		{req: `POST /v1/adapters/eth0/down {"timeout":"20s","keep":true}`, status: 204},
		{req: "POST /v1/adapters/eth0/down", status: 204},
		{req: "POST /v1/adapters/eth0/renew", uid: 1000, status: 403, code: errno.ERROR_ACCESS_DENIED},
		{req: "POST /v1/adapters/eth9/down", status: 404, code: errno.ERROR_FILE_NOT_FOUND},
		{req: "POST /v1/adapters/eth0/renew", err: code(errno.ERROR_SEM_TIMEOUT), status: 504, code: errno.ERROR_SEM_TIMEOUT},
		{req: "POST /v1/adapters/eth0/renew", err: code(errno.ERROR_NO_NETWORK), status: 503, code: errno.ERROR_NO_NETWORK},
		{req: "POST /v1/adapters/eth0/renew", err: code(errno.ERROR_NOT_SUPPORTED), status: 501, code: errno.ERROR_NOT_SUPPORTED},
		{req: "POST /v1/adapters/eth0/renew", err: code(errno.ERROR_DHCP_ADDRESS_CONFLICT), status: 500, code: errno.ERROR_DHCP_ADDRESS_CONFLICT},
		{req: "POST /v1/adapters/eth0/renew", err: code(errno.ERROR_GEN_FAILURE), status: 500, code: errno.ERROR_GEN_FAILURE},
		{req: "POST /v1/adapters/eth0/renew", err: code(errno.ERROR_CANCELLED), status: 499, code: errno.ERROR_CANCELLED},
		{req: "POST /v1/adapters/eth0/release", err: code(errno.ERROR_ADDRESS_NOT_ASSOCIATED), status: 409, code: errno.ERROR_ADDRESS_NOT_ASSOCIATED},
		{req: "POST /v1/adapters/eth0/up", err: errors.New("disk on fire"), status: 500, code: errno.ERROR_PROC_NOT_FOUND},
		{req: "POST /v1/adapters/eth0/up", err: errno.ERROR_NO_NETWORK, status: 503, code: errno.ERROR_NO_NETWORK},
		{req: "GET /v1/adapters", err: context.DeadlineExceeded, status: 504, code: errno.ERROR_SEM_TIMEOUT},
		{req: "GET /v1/adapters/eth0", err: context.Canceled, status: 499, code: errno.ERROR_CANCELLED},
		{req: `POST /v1/adapters/eth0/renew {"timeout":20}`, status: 400, code: errno.ERROR_INVALID_PARAMETER, bad: true},
		{req: `POST /v1/adapters/eth0/renew {"keep":true}`, status: 400, code: errno.ERROR_INVALID_PARAMETER, bad: true},
		{req: `POST /v1/adapters/eth0/down {"keep":"yes"}`, status: 400, code: errno.ERROR_INVALID_PARAMETER, bad: true},
		{req: `POST /v1/adapters/eth0/down {"force":true}`, status: 400, code: errno.ERROR_INVALID_PARAMETER, bad: true},
		{req: `POST /v1/adapters/eth0/down [1]`, status: 400, code: errno.ERROR_INVALID_PARAMETER, bad: true},
		{req: `POST /v1/adapters/eth0/down {"keep":`, status: 400, code: errno.ERROR_INVALID_PARAMETER, bad: true},
		{req: `POST /v1/adapters/eth0/renew {"timeout":"soon"}`, status: 400, code: errno.ERROR_INVALID_PARAMETER},
		{req: `POST /v1/adapters/eth0/renew {"timeout":"-5s"}`, status: 400, code: errno.ERROR_INVALID_PARAMETER},
		{req: `POST /v1/adapters/eth0/renew {"timeout":"48h"}`, status: 400, code: errno.ERROR_INVALID_PARAMETER},
		{req: `POST /v1/adapters/eth0/renew {} {}`, status: 400, code: errno.ERROR_INVALID_PARAMETER}, // the validator reads the first value only
		{req: "POST /v1/adapters/eth0/renew " + strings.Repeat(" ", maxBody+1), status: 413, code: errno.ERROR_INVALID_PARAMETER, bad: true},
		{req: "GET /v1/adapters?color=red", status: 400, code: errno.ERROR_INVALID_PARAMETER},
		{req: "GET /v1/events?adapter=", status: 400, code: errno.ERROR_INVALID_PARAMETER, bad: true},
		{req: "GET /v1/events?adapter=eth0&adapter=eth1", status: 400, code: errno.ERROR_INVALID_PARAMETER},
	} {
		name := tc.req[:min(len(tc.req), 60)] + " " + cmp.Or(tc.code.Name(), "ok")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake()
			f.do = func(context.Context, string, string, bool) error { return tc.err }
			f.frames = make(chan lessee.Frame)
			close(f.frames) // a trace that ends at once
			s := NewServer(f, Options{Version: lessee.Build()})
			part := strings.SplitN(tc.req, " ", 3)
			body := ""
			if len(part) == 3 {
				body = part[2]
			}
			req := httptest.NewRequest(part[0], "http://lessee"+part[1], strings.NewReader(body))
			if body != "" {
				req.Header.Set("Content-Type", "application/json")
			}
			w := ask(t, s, router, as(req, tc.uid), !tc.bad)
			if w.Code != tc.status {
				t.Fatalf("status %d, want %d: %s", w.Code, tc.status, w.Body)
			}
			if tc.code == errno.NO_ERROR {
				return
			}
			var e lessee.Error
			if err := json.Unmarshal(w.Body.Bytes(), &e); err != nil {
				t.Fatal(err)
			}
			if e.Code != tc.code || e.Op == "" {
				t.Errorf("got %v (%+v), want code %v", &e, e, tc.code.Name())
			}
			if tc.err == nil && e.Detail() == "" {
				t.Errorf("%+v has no words", e)
			}
		})
	}
}

func TestWhatIsNotThere(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		req    string
		status int
		allow  string
	}{
		{"GET /", 404, ""},
		{"GET /v2/adapters", 404, ""},
		{"GET /v1/adapters/", 404, ""},
		{"GET /v1//adapters", 404, ""},
		{"GET /v1/./version", 404, ""},
		{"GET /v1/../etc/passwd", 404, ""},
		{"POST /v1/adapters/eth0/restart", 404, ""},
		{"POST /v1/adapters", 405, "GET"},
		{"DELETE /v1/adapters/eth0", 405, "GET"},
		{"GET /v1/adapters/eth0/renew", 405, "POST"},
		{"HEAD /v1/events", 405, "GET"},
		{"OPTIONS /v1/version", 405, "GET"},
	} {
		t.Run(tc.req, func(t *testing.T) {
			t.Parallel()
			method, path, _ := strings.Cut(tc.req, " ")
			f := newFake()
			s := NewServer(f, Options{})
			w := httptest.NewRecorder()
			s.dispatch(w, as(httptest.NewRequest(method, "http://lessee"+path, nil), 0))
			if w.Code != tc.status || w.Header().Get("Allow") != tc.allow {
				t.Errorf("%d, Allow %q; want %d, %q", w.Code, w.Header().Get("Allow"), tc.status, tc.allow)
			}
			var e lessee.Error
			if err := json.Unmarshal(w.Body.Bytes(), &e); err != nil || e.Code != errno.ERROR_NOT_SUPPORTED || e.Detail() == "" {
				t.Errorf("body %q: %v", w.Body, err)
			}
			if len(f.calls) > 0 {
				t.Errorf("the engine was called: %q", f.calls)
			}
		})
	}
}

// FuzzBody: whatever a body holds, it is carried out or refused with an error
// that says why, and what is carried out is what the document allows.
func FuzzBody(f *testing.F) {
	for _, s := range []string{"", "{}", `{"timeout":"20s"}`, `{"timeout":"20s","keep":true}`, `{"timeout":"48h"}`, `{"timeout":"0s"}`, `{"keep":null}`, "null", "[", `{"Timeout":"1s"}`, "\xff"} {
		f.Add([]byte(s))
	}
	doc, err := openapi3.NewLoader().LoadFromData(openAPI())
	if err != nil {
		f.Fatal(err)
	}
	known := doc.Components.Schemas["Down"].Value.Properties
	f.Fuzz(func(t *testing.T, body []byte) {
		s := NewServer(newFake(), Options{})
		w := httptest.NewRecorder()
		s.dispatch(w, as(httptest.NewRequest(http.MethodPost, "http://lessee/v1/adapters/eth0/down", bytes.NewReader(body)), 0))
		switch w.Code {
		case http.StatusNoContent:
			if len(bytes.TrimSpace(body)) == 0 {
				return
			}
			var fields map[string]any
			if err := json.Unmarshal(body, &fields); err != nil {
				t.Fatalf("%q was accepted: %v", body, err)
			}
			for name := range fields {
				if known[strings.ToLower(name)] == nil {
					t.Fatalf("%q was accepted with the unknown field %q", body, name)
				}
			}
		case http.StatusBadRequest, http.StatusRequestEntityTooLarge:
			var e lessee.Error
			if err := json.Unmarshal(w.Body.Bytes(), &e); err != nil || e.Code != errno.ERROR_INVALID_PARAMETER || e.Detail() == "" {
				t.Fatalf("%q: %s: %v", body, w.Body, err)
			}
		default:
			t.Fatalf("%q: status %d %s", body, w.Code, w.Body)
		}
	})
}
