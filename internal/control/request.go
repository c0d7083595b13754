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
	"github.com/lessee/lessee/internal/fault"
	"github.com/lessee/lessee/reason"
)

// invalid is the error of a request that is not as it should be.
func invalid(c reason.Cause) *lessee.Error {
	return &lessee.Error{Code: errno.ERROR_INVALID_PARAMETER, Cause: c}
}

func noResource(r *http.Request) *lessee.Error {
	return &lessee.Error{Code: errno.ERROR_NOT_SUPPORTED, Cause: reason.Cause{Reason: reason.NoResource, Path: r.URL.EscapedPath()}}
}

func noMethod(r *http.Request, allow []string) *lessee.Error {
	return &lessee.Error{Code: errno.ERROR_NOT_SUPPORTED, Cause: reason.Cause{
		Reason: reason.WrongMethod, Path: r.URL.EscapedPath(), Method: r.Method, Allow: strings.Join(allow, ", "),
	}}
}

// status is the HTTP status of an error.
func status(e *lessee.Error) int {
	if e.Cause.Reason == reason.BodyTooLarge {
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
		return nil, invalid(reason.Cause{Reason: reason.QueryMalformed, Fault: fault.Of(err)})
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
			return nil, invalid(reason.Cause{Reason: reason.BodyTooLarge, Limit: maxBody})
		}
		return nil, invalid(reason.Cause{Reason: reason.BodyUnreadable, Fault: fault.Of(err)})
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
		return c, invalid(reason.Cause{Reason: reason.UnexpectedBody, Method: rt.method, Path: rt.path})
	}
	var fields struct {
		Timeout *string `json:"timeout"`
		Keep    *bool   `json:"keep"`
	}
	if t := bytes.TrimSpace(body); t[0] != '{' {
		return c, invalid(reason.Cause{Reason: reason.BodyNotObject})
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&fields); err != nil {
		return c, explainJSON(err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return c, invalid(reason.Cause{Reason: reason.BodyTrailing})
	}
	if fields.Timeout != nil {
		d, err := time.ParseDuration(*fields.Timeout)
		if err != nil {
			return c, invalid(reason.Cause{Reason: reason.NotADuration, Field: "timeout", Value: *fields.Timeout})
		}
		if d < time.Millisecond || d > lessee.MaxTimeout {
			return c, invalid(reason.Cause{
				Reason: reason.OutOfRange, Field: "timeout", Value: *fields.Timeout, Min: lessee.Duration(time.Millisecond), Max: lessee.Duration(lessee.MaxTimeout),
			})
		}
		c.timeout = d
	}
	if fields.Keep != nil {
		if !rt.keep {
			return c, invalid(reason.Cause{Reason: reason.MisplacedField, Field: "keep"})
		}
		c.keep = *fields.Keep
	}
	return c, nil
}

func explainJSON(err error) error {
	if t, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		want := map[string]string{"string": "string", "bool": "boolean"}[t.Type.String()]
		return invalid(reason.Cause{Reason: reason.WrongType, Field: t.Field, Want: want, Got: t.Value})
	}
	if s, ok := errors.AsType[*json.SyntaxError](err); ok {
		return invalid(reason.Cause{Reason: reason.BodyMalformed, Fault: fault.Of(s), Count: s.Offset})
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return invalid(reason.Cause{Reason: reason.BodyTruncated})
	}
	return invalid(reason.Cause{Reason: reason.BodyRefused, Fault: &reason.Fault{Text: strings.TrimPrefix(err.Error(), "json: ")}})
}
