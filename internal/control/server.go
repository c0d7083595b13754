//go:build linux

package control

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/lessee/lessee"
)

const (
	headerTimeout = 5 * time.Second  // for a request's header to arrive
	bodyTimeout   = 5 * time.Second  // for its body
	idleTimeout   = 30 * time.Second // for the next request on a connection
	writeTimeout  = 10 * time.Second // for an answer, or a piece of a stream, to be taken
	keepAlive     = 15 * time.Second // between blank lines in a stream without events
	maxHeader     = 16 << 10         // bytes
	maxBody       = 4 << 10          // bytes
)

// Options are what a [Server] may be told.
type Options struct {
	// Version is what it says of itself.
	Version lessee.VersionInfo
	// Group is the group whose members may change something; empty: "netdev".
	Group string
	// Logger gets one line per change asked for; nil: none.
	Logger *slog.Logger
}

// A Server answers the control API.
type Server struct {
	engine  Engine
	version lessee.VersionInfo
	guard   guard
	log     *slog.Logger
	mux     *http.ServeMux
	http    *http.Server
	stopped context.Context
	stop    context.CancelFunc
}

// NewServer returns a server of e.
func NewServer(e Engine, o Options) *Server {
	s := &Server{engine: e, version: o.Version, guard: newGuard(o.Group), log: o.Logger, mux: http.NewServeMux()}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.stopped, s.stop = context.WithCancel(context.Background())
	for _, r := range s.routes() {
		s.mux.HandleFunc(r.method+" "+r.path, func(w http.ResponseWriter, req *http.Request) { s.handle(w, req, r) })
	}
	s.http = &http.Server{
		Handler:           http.HandlerFunc(s.dispatch),
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ConnContext:       withCaller,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	return s
}

// Serve answers the connections of l, which [Listen] or [Activated] has
// returned, until [Server.Shutdown]; then it returns nil. It closes l.
func (s *Server) Serve(l net.Listener) error {
	if err := s.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve the control API at %s: %w", l.Addr(), err)
	}
	return nil
}

// Shutdown closes the listener, tells the callers that wait that the daemon is
// stopping, ends the event streams and returns when all connections are closed,
// at the latest when ctx ends.
func (s *Server) Shutdown(ctx context.Context) error {
	s.stop()
	if err := s.http.Shutdown(ctx); err != nil {
		_ = s.http.Close()
		return fmt.Errorf("stop the control API: %w", err)
	}
	return nil
}

// dispatch finds the route of a request, or says what there is instead.
func (s *Server) dispatch(w http.ResponseWriter, r *http.Request) {
	limitBody(w)
	if _, pattern := s.mux.Handler(r); pattern != "" && r.Method != http.MethodHead && plain(r) {
		s.mux.ServeHTTP(w, r)
		return
	}
	if allow := s.allowed(r); plain(r) && len(allow) > 0 {
		w.Header().Set("Allow", strings.Join(allow, ", "))
		s.fail(w, http.StatusMethodNotAllowed, noMethod(r, allow))
		return
	}
	s.fail(w, http.StatusNotFound, noResource(r))
}

// allowed lists the methods that the request's path has.
func (s *Server) allowed(r *http.Request) []string {
	var methods []string
	for _, m := range [...]string{http.MethodGet, http.MethodPost} {
		other := r.Clone(r.Context())
		other.Method = m
		if _, pattern := s.mux.Handler(other); pattern != "" {
			methods = append(methods, m)
		}
	}
	return methods
}

// plain reports whether the path is one that the mux serves as it stands: it
// would redirect "/v1//adapters" and "/v1/./version" with a page in HTML.
func plain(r *http.Request) bool {
	if !strings.HasPrefix(r.URL.Path, "/") {
		return false
	}
	for i, part := range strings.Split(r.URL.EscapedPath(), "/") {
		if i > 0 && part == "" || part == "." || part == ".." {
			return false
		}
	}
	return true
}
