package cli

// colours writes text in colours, or plain.
type colours bool

// newColours decides by the terminal and the user's wish (no-color.org).
func newColours(e Env) colours {
	term := e.Getenv("TERM")
	return colours(e.StdoutTerminal && e.Getenv("NO_COLOR") == "" && term != "dumb")
}

func (c colours) sgr(code, s string) string {
	if !c || s == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

func (c colours) bold(s string) string   { return c.sgr("1", s) }
func (c colours) dim(s string) string    { return c.sgr("2", s) }
func (c colours) green(s string) string  { return c.sgr("32", s) }
func (c colours) yellow(s string) string { return c.sgr("33", s) }
func (c colours) red(s string) string    { return c.sgr("31", s) }

// state colours the text of a DHCP client's state: what is well, what is not yet.
func (c colours) state(state, s string) string {
	switch state {
	case "bound":
		return c.green(s)
	case "renewing", "rebinding", "init", "init-reboot", "rebooting", "selecting", "requesting", "informing", "link-local":
		return c.yellow(s)
	case "released", "disabled":
		return c.dim(s)
	default:
		return s
	}
}
