//go:build linux

package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/errno"
	"github.com/lessee/lessee/internal/fault"
	"github.com/lessee/lessee/reason"
)

// A route is one operation of the API.
type route struct {
	method, path string
	op           string   // as in lessee.Error.Op
	query        []string // the parameters it knows
	command      bool     // changes something, takes a body
	guarded      bool     // only for those who may change something; a command is so anyway
	own          bool     // keeps the timeout itself
	stream       bool     // goes on until the caller leaves
	keep         bool     // the body may have "keep"
	serve        func(ctx context.Context, w http.ResponseWriter, c call) (answer any, err error)
}

// A call is what one request asks for.
type call struct {
	name    string // of the adapter
	filter  string // ?adapter=
	keep    bool
	arp     bool // ?arp=true
	timeout time.Duration
}

func (s *Server) routes() []route {
	command := func(op string, run func(context.Context, call) error) route {
		return route{
			method: http.MethodPost, path: "/v1/adapters/{name}/" + op, op: op, command: true, keep: op == "down",
			serve: func(ctx context.Context, _ http.ResponseWriter, c call) (any, error) { return nil, run(ctx, c) },
		}
	}
	get := func(path, op string, run func(context.Context, call) (any, error)) route {
		return route{
			method: http.MethodGet, path: path, op: op,
			serve: func(ctx context.Context, _ http.ResponseWriter, c call) (any, error) { return run(ctx, c) },
		}
	}
	return []route{
		get("/v1/version", "version", func(context.Context, call) (any, error) { return s.version, nil }),
		get("/v1/adapters", "list", func(ctx context.Context, _ call) (any, error) {
			list, err := s.engine.Adapters(ctx)
			if list == nil {
				list = []lessee.Adapter{} // an empty array, not null
			}
			return list, err
		}),
		get("/v1/adapters/{name}", "show", func(ctx context.Context, c call) (any, error) {
			return s.engine.Adapter(ctx, c.name)
		}),
		get("/v1/adapters/{name}/why", "why", func(ctx context.Context, c call) (any, error) {
			return s.engine.Why(ctx, c.name)
		}),
		command("renew", func(ctx context.Context, c call) error { return s.engine.Renew(ctx, c.name) }),
		command("release", func(ctx context.Context, c call) error { return s.engine.Release(ctx, c.name) }),
		command("up", func(ctx context.Context, c call) error { return s.engine.Up(ctx, c.name) }),
		command("down", func(ctx context.Context, c call) error { return s.engine.Down(ctx, c.name, c.keep) }),
		{method: http.MethodPost, path: "/v1/adapters/{name}/discover", op: "discover", command: true, own: true, serve: s.discover},
		{
			method: http.MethodGet, path: "/v1/adapters/{name}/trace", op: "trace", query: []string{"arp"},
			guarded: true, stream: true, serve: s.trace,
		},
		{method: http.MethodGet, path: "/v1/events", op: "watch", query: []string{"adapter"}, stream: true, serve: s.events},
		{method: http.MethodGet, path: "/v1/openapi.yaml", op: "version", serve: s.document},
	}
}

func (s *Server) document(_ context.Context, w http.ResponseWriter, _ call) (any, error) {
	w.Header().Set("Content-Type", "application/yaml")
	s.write(w, http.StatusOK, openAPI())
	return sent, nil
}

// sent is what a route answers that has written its answer itself.
var sent any = struct{ sent struct{} }{}

// handle carries out one request.
func (s *Server) handle(w http.ResponseWriter, r *http.Request, rt route) {
	name := r.PathValue("name")
	filter := r.URL.Query().Get("adapter")
	fail := func(err error) {
		e := s.explain(err, rt.op, cmpOr(name, filter))
		s.fail(w, status(e), e)
	}
	if rt.command || rt.guarded {
		who := callerOf(r.Context())
		if err := s.guard.check(who); err != nil {
			s.log.Warn("refused: permission", "op", rt.op, "adapter", name, "caller", who)
			fail(err)
			return
		}
	}
	if err := checkQuery(r, rt.query); err != nil {
		fail(err)
		return
	}
	body, err := readBody(w, r)
	if err != nil {
		fail(err)
		return
	}
	c, err := decode(body, rt)
	if err != nil {
		fail(err)
		return
	}
	c.name, c.filter = name, filter
	if arp := r.URL.Query().Get("arp"); arp != "" {
		if c.arp = arp == "true"; !c.arp && arp != "false" {
			fail(invalid(reason.Cause{Reason: reason.NotABoolean, Field: "arp"}))
			return
		}
	}

	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(s.stopped, cancel)()
	if !rt.stream && !rt.own {
		ctx, cancel = context.WithTimeout(ctx, c.timeout)
		defer cancel()
	}
	if rt.command || rt.guarded {
		s.log.Info("asked to "+rt.op, "adapter", name, "caller", callerOf(ctx))
	}
	answer, err := rt.serve(ctx, w, c)
	switch {
	case err != nil:
		fail(err)
	case answer == sent:
	case answer == nil:
		s.write(w, http.StatusNoContent, nil)
	default:
		s.writeJSON(w, http.StatusOK, answer)
	}
}

func cmpOr(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// explain turns an engine's error into the API's.
func (s *Server) explain(err error, op, adapter string) *lessee.Error {
	var e lessee.Error
	if p, ok := errors.AsType[*lessee.Error](err); ok {
		e = *p
	} else if code, ok := errors.AsType[errno.Errno](err); ok && code != errno.NO_ERROR {
		e.Code = code
	} else {
		switch {
		case errors.Is(err, context.Canceled):
			e.Code = errno.ERROR_CANCELLED
		case errors.Is(err, context.DeadlineExceeded):
			e.Code = errno.ERROR_SEM_TIMEOUT
		default:
			e.Code = errno.ERROR_PROC_NOT_FOUND
			e.Cause = reason.Cause{Reason: reason.SystemFailed, Fault: fault.Of(err)}
			s.log.Error("call failed", "op", op, "adapter", adapter, "err", err)
		}
	}
	if s.stopped.Err() != nil && e.Code == errno.ERROR_CANCELLED {
		e = lessee.Error{Code: errno.ERROR_PROC_NOT_FOUND, Cause: reason.Cause{Reason: reason.DaemonStopping}}
	}
	if e.Op == "" {
		e.Op = op
	}
	if e.Adapter == "" {
		e.Adapter = adapter
	}
	return &e
}

func (s *Server) fail(w http.ResponseWriter, code int, e *lessee.Error) { s.writeJSON(w, code, e) }

func (s *Server) writeJSON(w http.ResponseWriter, code int, v any) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		s.log.Error("answer cannot be written as JSON", "err", err)
		code = http.StatusInternalServerError
		b.Reset()
		_ = enc.Encode(&lessee.Error{
			Code: errno.ERROR_PROC_NOT_FOUND, Cause: reason.Cause{Reason: reason.AnswerUnwritable, Fault: fault.Of(err)},
		})
	}
	w.Header().Set("Content-Type", "application/json")
	s.write(w, code, b.Bytes())
}

func (s *Server) write(w http.ResponseWriter, code int, data []byte) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(writeTimeout))
	w.WriteHeader(code)
	if _, err := w.Write(data); err != nil && !errors.Is(err, http.ErrBodyNotAllowed) {
		s.log.Debug("answer not taken", "err", err)
	}
}

func checkQuery(r *http.Request, known []string) error {
	values, err := parseQuery(r)
	if err != nil {
		return err
	}
	for key, v := range values {
		if !slices.Contains(known, key) {
			return invalid(reason.Cause{Reason: reason.UnknownParameter, Field: key})
		}
		if len(v) != 1 || v[0] == "" {
			return invalid(reason.Cause{Reason: reason.RepeatedParameter, Field: key})
		}
	}
	return nil
}
