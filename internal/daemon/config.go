package daemon

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/internal/driver"
	"github.com/lessee/lessee/internal/tenancy/v4"
	"github.com/lessee/lessee/names"
	"github.com/pelletier/go-toml/v2"
)

// DefaultConfig is where the configuration is looked for; it may be absent.
const DefaultConfig = "/etc/lessee/lessee.toml"

// A Config is the configuration file's content.
type Config struct {
	// Adapters are managed from the start.
	Adapters []string `toml:"adapters"`
	// Verbose logs packets and states too.
	Verbose bool `toml:"verbose"`
	// DNS says how name resolution is set up.
	DNS DNSConfig `toml:"dns"`
	// Defaults hold for every adapter, Adapter for the one that its key names.
	Defaults AdapterConfig            `toml:"defaults"`
	Adapter  map[string]AdapterConfig `toml:"adapter"`

	// duid is the machine's, if a setting needs it.
	duid     []byte
	profiles *profiles
}

// A DNSConfig says how name resolution is set up.
type DNSConfig struct {
	// Mode is "auto", "resolved", "resolvconf", "file" or "none"; "" is "auto".
	Mode string `toml:"mode"`
}

// An AdapterConfig says how an adapter is managed. What is absent is as in
// Defaults, and there as documented for each field.
type AdapterConfig struct {
	ClientConfig

	// Broadcast asks servers to broadcast their answers. Default: false.
	Broadcast *bool `toml:"broadcast"`
	// Timing is "fast" or "strict", the latter as RFC 2131 has it. Default: "fast".
	Timing *string `toml:"timing"`
	// Metric is the metric of the adapter's routes, 0 to 4294967295.
	// Default 0: 1000 and the interface index.
	Metric *uint32 `toml:"metric"`
	// Routes says which of a lease's routes are applied: "all", "no-classless"
	// (without option 121), "gateway" (the default route only) or "none".
	// Default: "all".
	Routes *string `toml:"routes"`
	// Table is the routing table of the adapter's routes. Default 0: the main
	// one, or that of the adapter's VRF.
	Table *uint32 `toml:"table"`
	// MTU, DNS: apply a lease's MTU (option 26), its name servers and search
	// list. Default: true.
	MTU *bool `toml:"mtu"`
	DNS *bool `toml:"dns"`
	// Conflict says how conflicts of the address with another host are found
	// (RFC 5227): "off", "optimistic" (use it at once and ask) or "probe" (ask
	// first). Default: "optimistic".
	Conflict *string `toml:"conflict"`
	// LinkLocal takes a link-local address (RFC 3927) while no server answers.
	// Default: false.
	LinkLocal *bool `toml:"link_local"`
	// Inform asks for the parameters only: the address is set by others.
	// Default: false.
	Inform *bool `toml:"inform"`
}

// A ConfigError says where in the configuration something is wrong.
type ConfigError struct {
	File string
	// Line and Column count from 1; 0 where the place is not known.
	Line, Column int
	Problem      string
}

func (e *ConfigError) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %s", e.File, e.Problem)
	}
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Problem)
}

// LoadConfig reads a configuration file. One that does not exist is an empty
// one, unless it is required. Unknown keys and wrong types are errors of type
// [*ConfigError], as is everything that could not be carried out later.
func LoadConfig(file string, required bool) (Config, error) {
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) && !required {
		return Config{}, nil
	}
	if err != nil {
		return Config{}, fmt.Errorf("read the configuration: %w", err)
	}
	c, err := parseConfig(file, data)
	if err != nil {
		return Config{}, err
	}
	if err := c.identify(machineIDFile); err != nil {
		return Config{}, wrongKey(file, "", err)
	}
	return c, nil
}

func parseConfig(file string, data []byte) (Config, error) {
	var c Config
	d := toml.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return Config{}, locate(file, err)
	}
	if err := c.check(file); err != nil {
		return Config{}, err
	}
	c.profiles = &profiles{}
	return c, nil
}

func locate(file string, err error) error {
	if missing, ok := errors.AsType[*toml.StrictMissingError](err); ok && len(missing.Errors) > 0 {
		first := &missing.Errors[0]
		line, column := first.Position()
		return &ConfigError{
			File: file, Line: line, Column: column,
			Problem: fmt.Sprintf("unknown key %q", strings.Join(first.Key(), ".")),
		}
	}
	if wrong, ok := errors.AsType[*toml.DecodeError](err); ok {
		line, column := wrong.Position()
		problem := strings.TrimPrefix(wrong.Error(), "toml: ")
		if key := wrong.Key(); len(key) > 0 {
			problem = fmt.Sprintf("key %q: %s", strings.Join(key, "."), wrongType(problem))
		}
		return &ConfigError{File: file, Line: line, Column: column, Problem: problem}
	}
	return &ConfigError{File: file, Problem: err.Error()}
}

// wrongType leaves the Go type out of the decoder's words.
func wrongType(problem string) string {
	words := map[string]string{
		"string": "a string", "bool": "true or false", "uint32": "a whole number from 0 to 4294967295",
		"[]string": "a list of strings", "[]uint32": "a list of whole numbers",
	}
	if strings.HasSuffix(problem, "uint32") && !strings.HasPrefix(problem, "cannot decode") { // out of its range
		return "must be " + words["uint32"]
	}
	have, ok := strings.CutPrefix(problem, "cannot decode TOML ")
	if !ok {
		return problem
	}
	have, want, ok := strings.Cut(have, " into ")
	if !ok {
		return problem
	}
	goType := strings.TrimPrefix(want[strings.LastIndexByte(want, ' ')+1:], "*")
	if w, ok := words[goType]; ok {
		return fmt.Sprintf("must be %s, not of type %s", w, have)
	}
	return "must not be of type " + have
}

func (c *Config) check(file string) error {
	wrong := func(key, format string, args ...any) error {
		return &ConfigError{File: file, Problem: "key " + fmt.Sprintf("%q: ", key) + fmt.Sprintf(format, args...)}
	}
	if modes := []string{"", "auto", "resolved", "resolvconf", "file", "none"}; !slices.Contains(modes, c.DNS.Mode) {
		return wrong("dns.mode", "%q is not one of auto, resolved, resolvconf, file, none", c.DNS.Mode)
	}
	for _, name := range c.Adapters {
		if !validName(name) {
			return wrong("adapters", "%q is not the name of a network interface", name)
		}
	}
	sections := map[string]AdapterConfig{"defaults": c.Defaults}
	for name, a := range c.Adapter {
		if !validName(name) {
			return wrong("adapter."+name, "%q is not the name of a network interface", name)
		}
		sections["adapter."+name] = a
	}
	for section, a := range sections {
		if r := a.Routes; r != nil && !known(routePolicies, *r) {
			return wrong(section+".routes", "%q is not one of all, no-classless, gateway, none", *r)
		}
		if m := a.Conflict; m != nil && !known(conflictModes, *m) {
			return wrong(section+".conflict", "%q is not one of off, optimistic, probe", *m)
		}
		if a.Timing != nil && *a.Timing != "fast" && *a.Timing != "strict" {
			return wrong(section+".timing", "%q is not one of fast, strict", *a.Timing)
		}
		if err := a.ClientConfig.check(); err != nil {
			return wrongKey(file, section+".", err)
		}
	}
	for section, name := range c.sections() {
		a := c.adapter(name)
		if err := try(&a); err != nil {
			return &ConfigError{File: file, Problem: section + ": " + err.Error()}
		}
	}
	return nil
}

// sections are the sections about adapters, each with an adapter that it is for.
func (c *Config) sections() map[string]string {
	all := map[string]string{"defaults": ""} // no adapter has that name
	for name := range c.Adapter {
		all["adapter."+name] = name
	}
	return all
}

// wrongKey is a ConfigError about a key, whose name err knows from the section on.
func wrongKey(file, section string, err error) error {
	if e, ok := errors.AsType[*keyError](err); ok {
		return &ConfigError{File: file, Problem: fmt.Sprintf("key %q: %v", section+e.key, e.err)}
	}
	return &ConfigError{File: file, Problem: section + err.Error()}
}

// routePolicies and conflictModes are the words for them.
var (
	routePolicies = map[string]v4.RoutePolicy{
		"all": v4.RoutesAll, "no-classless": v4.RoutesNoClassless,
		"gateway": v4.RoutesGateway, "none": v4.RoutesNone,
	}
	conflictModes = map[string]v4.ConflictMode{
		"off": v4.ConflictOff, "optimistic": v4.ConflictOptimistic, "probe": v4.ConflictProbe,
	}
)

func known[T any](words map[string]T, word string) bool {
	_, yes := words[word]
	return yes
}

// validName reports whether the kernel could have an interface of that name or
// alternative name.
func validName(name string) bool {
	return name != "" && name != "." && name != ".." && len(name) < 128 && !strings.ContainsAny(name, "/ \t\n\v\f\r\x00:")
}

// adapter returns how the adapter of that name is to be managed.
func (c *Config) adapter(name string) driver.AdapterConfig {
	one, all := c.Adapter[name], c.Defaults
	out := driver.AdapterConfig{
		Broadcast: pick(false, all.Broadcast, one.Broadcast),
		Timing:    dhcp4.DefaultTiming,
		Metric:    pick(0, all.Metric, one.Metric),
		Routes:    routePolicies[pick("all", all.Routes, one.Routes)],
		Table:     pick(0, all.Table, one.Table),
		Conflict:  conflictModes[pick("optimistic", all.Conflict, one.Conflict)],
		LinkLocal: pick(false, all.LinkLocal, one.LinkLocal),
		Inform:    pick(false, all.Inform, one.Inform),
		MTU:       pick(true, all.MTU, one.MTU),
		DNS:       pick(true, all.DNS, one.DNS),
	}
	c.fill(&out, name)
	if pick("fast", all.Timing, one.Timing) == "strict" {
		out.Timing = dhcp4.StrictTiming
	}
	return out
}

// pick returns the last value that is given.
func pick[T any](value T, given ...*T) T {
	for _, g := range given {
		if g != nil {
			value = *g
		}
	}
	return value
}

// hostName returns the name to send, "" for none.
func hostName(setting string) string {
	if setting != "auto" {
		return setting
	}
	name, err := os.Hostname()
	if err != nil || name == "localhost" {
		return ""
	}
	host, err := names.ParseHost(name)
	if err != nil {
		return ""
	}
	return host.String()
}
