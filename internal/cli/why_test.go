//go:build linux

package cli

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/language"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/internal/event"
	"github.com/lessee/lessee/internal/golden"
	"github.com/lessee/lessee/internal/text"
)

// story is one of a search that fails, with a fact of each kind.
func story() lessee.Story {
	at := func(s int) time.Time { return now.Add(time.Duration(s) * time.Second) }
	server, address := addr4("10.0.0.1"), addr4("10.0.0.9")
	const mac, other = "02:00:00:00:00:01", "02:00:00:00:00:07"
	return lessee.Story{
		Adapter: "eth0", Index: 2, Time: now, Manager: "lessee", State: "selecting",
		Verdict: lessee.Fact{Code: "no-answer", Time: at(-5), Since: at(-12), Count: 4},
		Facts: []lessee.Fact{
			{Code: "managed", Time: at(-3600)},
			{Code: "no-carrier", Time: at(-3000)},
			{Code: "carrier", Time: at(-2990)},
			{Code: "resumed", Time: at(-2980), Address: address, Server: server},
			{Code: "sent", Time: at(-2000), Message: "REQUEST", Server: server, XID: "0badcafe"},
			{Code: "received", Time: at(-2000), Message: "ACK", Server: server, MAC: mac, Address: address},
			{Code: "renewed", Time: at(-1000), Since: at(-2000), Count: 3, Address: address, Server: server},
			{Code: "nak", Time: at(-900), Server: server, MAC: mac, Detail: "wrong\x1bnetwork"},
			{Code: "lost", Time: at(-900), Address: address, Server: server},
			{Code: "sent", Time: at(-890), Since: at(-899), Count: 3, Message: "DISCOVER"},
			{Code: "received", Time: at(-880), Message: "OFFER", MAC: mac, Address: address},
			{Code: "bound", Time: at(-870), Address: address, Server: server},
			{Code: "conflict", Time: at(-860), Address: address, MAC: other},
			{Code: "sent", Time: at(-860), Message: "DECLINE", Server: server},
			{Code: "rejected", Time: at(-500), Since: at(-800), Count: 17, Reason: "foreign-xid", Detail: "foreign transaction"},
			{Code: "rejected", Time: at(-400), Reason: "bad-address", Detail: "leased address is not that of a host"},
			{Code: "expired", Time: at(-300), Address: address},
			{Code: "released", Time: at(-200), Address: address, Server: server},
			{Code: "problem", Time: at(-100), Detail: "the lease could not be saved: no space left on device", Cause: unsaved()},
			{Code: "link-local", Time: at(-90), Address: addr4("169.254.3.4")},
			{Code: "defended", Time: at(-80), Address: address, MAC: other},
			{Code: "recognised", Time: at(-70), Address: address, Server: server, MAC: mac},
			{Code: "informed", Time: at(-60), Server: server},
			{Code: "novel", Time: at(-50)},
			{Code: "unanswered", Time: at(-5), Since: at(-12), Count: 4, Message: "DISCOVER", XID: "00c0ffee"},
		},
		Next:   []lessee.Fact{{Code: "retransmit", Time: at(7), Message: "DISCOVER"}, {Code: "expiry", Time: at(3600)}, {Code: "await-carrier"}},
		Advice: []lessee.Fact{{Code: "network"}, {Code: "solve", Detail: "the lease could not be saved: no space left on device", Cause: unsaved()}},
	}
}

func TestWhy(t *testing.T) {
	t.Parallel()
	socket := serve(t, &engine{stories: map[string]lessee.Story{"eth0": story()}})
	for file, c := range map[string]struct {
		edit func(*Env)
		args []string
	}{
		"why.txt":            {nil, []string{"why", "eth0"}},
		"why-verbose.txt":    {nil, []string{"why", "eth0", "-v"}},
		"why-verbose.fr.txt": {inFrench, []string{"why", "eth0", "-v"}},
		"why-absent.txt":     {nil, []string{"why", "eth9"}},
	} {
		r := run(t.Context(), c.edit, append([]string{"--socket", socket}, c.args...)...)
		if r.status != 0 || r.err != "" {
			t.Errorf("%v: status %d, %s", c.args, r.status, r.err)
		}
		golden.Check(t, file, r.out)
		if strings.Contains(r.out, "\x1b") {
			t.Errorf("%v: a control character came through", c.args)
		}
	}
}

func TestWhyJSON(t *testing.T) {
	t.Parallel()
	socket := serve(t, &engine{stories: map[string]lessee.Story{"eth0": story()}})
	r := run(t.Context(), inFrench, "--socket", socket, "why", "eth0", "-o", "json")
	var got lessee.Story
	if err := json.Unmarshal([]byte(r.out), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Facts) != len(story().Facts) || got.Verdict.Code != "no-answer" || got.Facts[14].Reason != "foreign-xid" {
		t.Errorf("%+v", got)
	}
}

// Every code that the daemon may say has words here, and a line in docs/api.md.
// A fact that is called as an event of the stream is documented with the event.
func TestEveryCodeHasWords(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("../event/codes.go")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := os.ReadFile("../../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	codes := map[string][]string{}
	for _, row := range event.All() {
		if row.Fact != "" {
			codes["Fact"] = append(codes["Fact"], string(row.Fact))
		}
	}
	for _, m := range regexp.MustCompile(`\t(Fact|Verdict|Next|Advice)\w+\s+Code = "([a-z-]+)"`).FindAllSubmatch(source, -1) {
		codes[string(m[1])] = append(codes[string(m[1])], string(m[2]))
	}
	speak := englishSpeaker()
	n := 0
	for family, list := range codes {
		for _, code := range list {
			n++
			f := lessee.Fact{
				Code: code, Time: now, Message: "DISCOVER", Server: addr4("10.0.0.1"), Address: addr4("10.0.0.9"), Detail: "the detail",
			}
			var text string
			switch family {
			case "Fact":
				text = speak.factText(f, "eth0", now, now)
			case "Verdict":
				text = speak.verdictText(f, "eth0", now)
			case "Next":
				text = speak.nextText(f, "eth0")
			case "Advice":
				text = speak.adviceText(f, "eth0")
			}
			if text == f.Code || text == "" {
				t.Errorf("%s %q has no words", family, f.Code)
			}
			_, streamed := event.Streamed(code)
			if !strings.Contains(string(doc), "| `"+code+"` |") && (family != "Fact" || !streamed) {
				t.Errorf("docs/api.md does not have the code %q", f.Code)
			}
		}
	}
	if n < 50 {
		t.Errorf("only %d codes found", n)
	}
}

func englishSpeaker() speaker {
	return speaker{text.For(language.English), func() time.Time { return now }}
}
