package cli

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"golang.org/x/text/language"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/internal/text"
)

// maxName is how long an adapter's name may be: 15 bytes as its name proper
// (IFNAMSIZ), 127 as an alternative one (ALTIFNAMSIZ, both with a final NUL).
const maxName = 127

// checkName finds what the kernel would call no adapter.
func checkName(name string) error {
	switch {
	case name == "":
		return usagef("the adapter's name is empty")
	case len(name) > maxName:
		return usagef("the adapter's name has %d bytes; a name has at most 15, an alternative one %d", len(name), maxName)
	case name == ".", name == "..", strings.ContainsFunc(name, func(r rune) bool {
		return r == '/' || unicode.IsSpace(r) && (r != ' ' || !spacedNames) || unicode.IsControl(r)
	}):
		return usagef("%q cannot be the name of an adapter; 'lessee list' shows them", name)
	}
	return nil
}

// adapters is what a command checks its arguments with: at least least and,
// with most >= 0, at most that many names.
func adapters(least, most int) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		switch {
		case len(args) < least:
			return usagef("which adapter? 'lessee list' shows them")
		case most >= 0 && len(args) > most:
			if most == 0 {
				return usagef("%q: no argument is expected", args[0])
			}
			return usagef("%q: one adapter is expected", args[most])
		}
		for _, name := range args {
			if err := checkName(name); err != nil {
				return err
			}
		}
		return nil
	}
}

// unique returns the names without repetitions, in order.
func unique(names []string) []string {
	var out []string
	for _, n := range names {
		if !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out
}

// completeAdapters offers the names of adapters to the shell.
func (a *app) completeAdapters(most int) func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if most >= 0 && len(args) >= most {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		ctx, cancel := context.WithTimeout(cmd.Context(), 2*time.Second)
		defer cancel()
		all, err := a.client().Adapters(ctx)
		if err != nil {
			if all, err = kernelView(); err != nil {
				return nil, cobra.ShellCompDirectiveError
			}
		}
		var names []string
		for _, ad := range all {
			if !slices.Contains(args, ad.Name) {
				names = append(names, ad.Name+"\t"+a.speak.summary(ad))
			}
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}

// A choice is a flag that takes one of a few words, the first by default.
type choice struct {
	words []string
	word  string
}

var _ pflag.Value = (*choice)(nil)

func (c *choice) String() string { return c.word }
func (c *choice) Type() string   { return strings.Join(c.words, "|") }

func (c *choice) Set(s string) error {
	if !slices.Contains(c.words, s) {
		return sentencef("it takes %s or %s", c.words[0], c.words[1])
	}
	c.word = s
	return nil
}

// output adds -o to a command; person names the form for people.
func (a *app) output(cmd *cobra.Command, person string) *choice {
	c := &choice{words: []string{person, "json"}, word: person}
	cmd.Flags().VarP(c, "output", "o", a.speak.Text("form of the output"))
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{person, "json"}, cobra.ShellCompDirectiveNoFileComp))
	return c
}

// A patience is a flag with a time to wait: "20s", "2m", or seconds.
type patience time.Duration

var _ pflag.Value = (*patience)(nil)

func (p *patience) String() string {
	if *p == 0 {
		return "" // for ever
	}
	return text.For(language.English).Span(time.Duration(*p))
}

func (p *patience) Type() string { return "TIME" }

func (p *patience) Set(s string) error {
	d, err := time.ParseDuration(s)
	if n, intErr := strconv.ParseUint(s, 10, 32); err != nil && intErr == nil {
		d, err = time.Duration(n)*time.Second, nil
	}
	switch {
	case err != nil:
		return sentencef("it takes a time such as 20s or 2m")
	case d < time.Millisecond:
		return sentencef("it takes a time of at least 1ms")
	case d > lessee.MaxTimeout:
		return sentencef("it takes a time of at most %s", lessee.MaxTimeout)
	}
	*p = patience(d)
	return nil
}

// timeout adds --timeout to a command.
func (a *app) timeout(cmd *cobra.Command) *patience {
	p := patience(lessee.DefaultTimeout)
	cmd.Flags().Var(&p, "timeout", a.speak.Text("how long to wait, such as 5s or 2m"))
	return &p
}

// similarFlags lists the flags of a command that differ little from name.
func similarFlags(cmd *cobra.Command, name string) []string {
	name, _, _ = strings.Cut(name, "=")
	var found []string
	seen := func(f *pflag.Flag) {
		if !f.Hidden && (distance(name, f.Name) <= 2 || len(name) > 1 && strings.HasPrefix(f.Name, name)) {
			found = append(found, "--"+f.Name)
		}
	}
	cmd.NonInheritedFlags().VisitAll(seen)
	cmd.InheritedFlags().VisitAll(seen)
	return unique(found)
}

// distance counts the letters to insert, delete or replace between two words.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		corner := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := corner
			if a[i] != b[j] {
				cost++
			}
			corner = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// alternatives are words of which one may be meant.
type alternatives []string
