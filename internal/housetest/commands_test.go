package housetest

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	commandUse  = regexp.MustCompile(`\bUse:\s+(?:a\.use\()?"([a-z]+)[ "]`)
	flagLiteral = regexp.MustCompile(`"([a-z][a-z0-9-]+)"`)
	docCommand  = regexp.MustCompile(`(?:^|[\s'"$/])lessee((?: [^\s|;#']+)+)`)
	docFlag     = regexp.MustCompile(`^--([a-z][a-z0-9-]+)`)
	manCommand  = regexp.MustCompile(`^\.(?:It )?Cm ([a-z]+)`)
	manFlag     = regexp.MustCompile(`Fl -([a-z][a-z0-9-]+)|, -([a-z][a-z0-9-]+)`)
	environment = regexp.MustCompile(`LESSEE_[A-Z_]+`)
)

// code returns the lines of a Markdown file's code blocks and its code spans.
func code(f file) []string {
	var out []string
	lines, text := f.lines(), prose(f)
	for i := range lines {
		if text[i] == "" && lines[i] != "" {
			out = append(out, lines[i])
			continue
		}
		for _, s := range codeSpan.FindAllString(text[i], -1) {
			out = append(out, strings.Trim(s, "`"))
		}
	}
	return out
}

// commandLine returns the commands and the names that may be those of flags.
func commandLine(t *testing.T) (commands, flags []string) {
	t.Helper()
	commands = []string{"help", "completion"}
	for _, f := range tree(t) {
		if !strings.HasPrefix(f.path, "internal/cli/") || !f.isGo() || f.isTest() {
			continue
		}
		for _, m := range commandUse.FindAllStringSubmatch(f.text, -1) {
			commands = append(commands, m[1])
		}
		for _, m := range flagLiteral.FindAllStringSubmatch(f.text, -1) {
			flags = append(flags, m[1])
		}
	}
	if len(commands) < 10 {
		t.Fatalf("only these commands found: %q", commands)
	}
	return commands, flags
}

func TestCommandsAndFlagsInDocsExist(t *testing.T) {
	t.Parallel()
	commands, flags := commandLine(t)
	found := 0
	check := func(f file, command string, options []string) {
		found++
		if command != "" && !slices.Contains(commands, command) {
			t.Errorf("%s: there is no command 'lessee %s'", f.path, command)
		}
		for _, o := range options {
			if !slices.Contains(flags, o) {
				t.Errorf("%s: there is no flag --%s", f.path, o)
			}
		}
	}
	for _, f := range tree(t) {
		switch {
		case f.isMarkdown():
			for _, c := range code(f) {
				for _, m := range docCommand.FindAllStringSubmatch(c, -1) {
					command, options := split(strings.Fields(m[1]))
					check(f, command, options)
				}
			}
		case strings.HasPrefix(f.path, "packaging/man/lessee.1"):
			for _, l := range f.lines() {
				if m := manCommand.FindStringSubmatch(l); m != nil {
					check(f, m[1], nil)
				}
				for _, m := range manFlag.FindAllStringSubmatch(l, -1) {
					check(f, "", []string{m[1] + m[2]})
				}
			}
		}
	}
	if found < 30 {
		t.Errorf("only %d commands and flags looked at: the test does not find them", found)
	}
}

// split tells the command and the long flags of a command line.
func split(args []string) (command string, flags []string) {
	value := false // the argument is the value of the flag before it
	for _, a := range args {
		switch m := docFlag.FindStringSubmatch(a); {
		case m != nil:
			flags = append(flags, m[1])
			value = slices.Contains([]string{"socket", "state", "config", "timeout"}, m[1]) && !strings.Contains(a, "=")
		case value:
			value = false
		case command == "" && !strings.HasPrefix(a, "-"):
			command = a
		}
	}
	if strings.Trim(command, "abcdefghijklmnopqrstuvwxyz") != "" || command == "is" {
		return "", flags // not a command: COMMAND, a colon, an ellipsis
	}
	return command, flags
}

func TestEnvironmentInDocsIsTheOneInCode(t *testing.T) {
	t.Parallel()
	var used, documented []string
	for _, f := range tree(t) {
		names := environment.FindAllString(f.text, -1)
		switch {
		case f.isMarkdown(), strings.HasPrefix(f.path, "packaging/"):
			documented = append(documented, names...)
		case f.isGo() && !f.isTest() && !strings.HasPrefix(f.path, "test/") && !strings.HasPrefix(f.path, "bench/") && !strings.HasPrefix(f.path, "internal/sandbox/") &&
			!strings.HasPrefix(f.path, "internal/housetest/"):
			used = append(used, names...)
		}
	}
	for _, n := range used {
		if !slices.Contains(documented, n) {
			t.Errorf("the environment variable %s is not documented", n)
		}
	}
	for _, n := range documented {
		if !slices.Contains(used, n) {
			t.Errorf("the environment variable %s is documented and not used", n)
		}
	}
	if len(used) == 0 {
		t.Error("no environment variables found")
	}
}
