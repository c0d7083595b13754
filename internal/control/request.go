//go:build linux

package control

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/errno"
)

// invalid is the error of a request that is not as it should be.
func invalid(format string, args ...any) *lessee.Error {
	e := &lessee.Error{Code: errno.ERROR_INVALID_PARAMETER, Hint: "GET /v1/openapi.yaml describes the API"}
	return e.SetDetail(format, args...)
}

func noResource(r *http.Request) *lessee.Error {
	e := invalid("there is no resource %s", r.URL.EscapedPath())
	e.Code = errno.ERROR_NOT_SUPPORTED
	return e
}

func noMethod(r *http.Request, allow []string) *lessee.Error {
	e := invalid("%s takes the method %s, not %s", r.URL.EscapedPath(), strings.Join(allow, " or "), r.Method)
	e.Code = errno.ERROR_NOT_SUPPORTED
	return e
}

// errTooLarge is the one invalid request with a status of its own.
var errTooLarge = invalid("the request's body has more than %d bytes", maxBody)

// status is the HTTP status of an error.
func status(e *lessee.Error) int {
	if e.Code == errTooLarge.Code && e.Detail == errTooLarge.Detail {
		return http.StatusRequestEntityTooLarge
	}
	switch e.Code { //nolint:exhaustive // All others are the server's own trouble.
	case errno.ERROR_FILE_NOT_FOUND:
		return http.StatusNotFound
	case errno.ERROR_ACCESS_DENIED:
		return http.StatusForbidden
	case errno.ERROR_NOT_SUPPORTED:
		return http.StatusNotImplemented
	case errno.ERROR_INVALID_PARAMETER:
		return http.StatusBadRequest
	case errno.ERROR_SEM_TIMEOUT:
		return http.StatusGatewayTimeout
	case errno.ERROR_NO_NETWORK:
		return http.StatusServiceUnavailable
	case errno.ERROR_CANCELLED:
		return statusClientClosedRequest
	case errno.ERROR_ADDRESS_NOT_ASSOCIATED, errno.ERROR_BUSY:
		return http.StatusConflict
	}
	return http.StatusInternalServerError
}

// statusClientClosedRequest is in common use, though not registered: the caller
// was gone before the answer was there.
const statusClientClosedRequest = 499

func parseQuery(r *http.Request) (url.Values, error) {
	v, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, invalid("the query is malformed: %v", err)
	}
	return v, nil
}

// limitBody sets the time by which the request's body must have arrived. It
// holds, too, for the rest of a body that nobody reads: net/http skips it to get
// at the next request.
func limitBody(w http.ResponseWriter) {
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTimeout))
}

// readBody reads the request's body. When it was read to its end its time limit
// is gone: net/http goes on reading, to notice that the caller has gone.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		w.Header().Set("Connection", "close")
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return nil, errTooLarge
		}
		return nil, invalid("the request's body cannot be read: %v", err)
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
	return data, nil
}

// decode reads the body of a command.
func decode(body []byte, rt route) (call, error) {
	c := call{timeout: lessee.DefaultTimeout}
	if rt.op == "discover" {
		c.timeout = lessee.DefaultDiscovery
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return c, nil
	}
	if !rt.command {
		return c, invalid("%s %s takes no body", rt.method, rt.path)
	}
	var fields struct {
		Timeout *string `json:"timeout"`
		Keep    *bool   `json:"keep"`
	}
	if t := bytes.TrimSpace(body); t[0] != '{' {
		return c, invalid("the request's body is to be a JSON object")
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&fields); err != nil {
		return c, explainJSON(err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return c, invalid("the request's body has something behind its JSON object")
	}
	if fields.Timeout != nil {
		d, err := time.ParseDuration(*fields.Timeout)
		if err != nil {
			return c, invalid("timeout: %q is not a duration such as \"20s\" or \"1m30s\"", *fields.Timeout)
		}
		if d < time.Millisecond || d > lessee.MaxTimeout {
			return c, invalid("timeout: %v is not between 1ms and %v", d, lessee.MaxTimeout)
		}
		c.timeout = d
	}
	if fields.Keep != nil {
		if !rt.keep {
			return c, invalid("unknown field \"keep\": only down has it")
		}
		c.keep = *fields.Keep
	}
	return c, nil
}

func explainJSON(err error) error {
	if t, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		want := map[string]string{"string": "a string", "bool": "true or false"}[t.Type.String()]
		return invalid("field %q is to be %s, not a JSON %s", t.Field, want, t.Value)
	}
	if s, ok := errors.AsType[*json.SyntaxError](err); ok {
		return invalid("the request's body is not JSON: %v (byte %d)", s, s.Offset)
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return invalid("the request's body is not JSON: it ends in the middle")
	}
	return invalid("the request's body: %s", strings.TrimPrefix(err.Error(), "json: "))
}
