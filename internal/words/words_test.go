package words_test

import (
	"strings"
	"testing"
	"time"

	"github.com/lessee/lessee/internal/words"
	"github.com/lessee/lessee/internal/words/wordstest"
	"github.com/lessee/lessee/reason"
)

// Each reason of the table has English words, with its fields and no others.
func TestEnglish(t *testing.T) {
	t.Parallel()
	for _, f := range wordstest.Faults(words.English(), words.English()) {
		t.Error(f)
	}
	for _, d := range reason.Table() {
		c := wordstest.Filled(d.Reason)
		detail, hint := words.Say(words.English(), "eth0", &c, words.Plain)
		if text := detail + hint; strings.ContainsAny(text, "{}|") {
			t.Errorf("%s: %q", d.Reason, text)
		}
	}
}

// The check finds what it must find.
func TestFaultsAreFound(t *testing.T) {
	t.Parallel()
	with := func(r reason.Reason, text words.Text) map[reason.Reason]words.Text {
		all := make(map[reason.Reason]words.Text)
		for k, v := range words.English() {
			all[k] = v
		}
		all[r] = text
		return all
	}
	missing := with(reason.NoLink, words.Text{})
	delete(missing, reason.NoLink)
	for name, texts := range map[string]map[reason.Reason]words.Text{
		"missing":       missing,
		"left over":     with("of-the-past", words.Text{}),
		"no such field": with(reason.NoLink, words.Text{Hint: "{path}"}),
		"unsaid field":  with(reason.LeaseUnsaved, words.Text{Detail: "not saved"}),
		"other field":   with(reason.NotManaged, words.Text{Detail: "the adapter is not managed by this daemon"}),
		"a full stop":   with(reason.NoLink, words.Text{Hint: words.English()[reason.NoLink].Hint + "."}),
		"an option":     with(reason.NoServer, words.Text{Detail: "in {timeout}, until {expires}", Hint: words.English()[reason.NoServer].Hint}),
	} {
		if len(wordstest.Faults(texts, words.English())) == 0 {
			t.Errorf("%s: not found", name)
		}
	}
}

func TestSay(t *testing.T) {
	t.Parallel()
	style := words.Plain
	style.Clock = func(t time.Time) string { return t.Format(time.TimeOnly) }
	ends := time.Date(2026, 1, 2, 15, 4, 5, 0, time.UTC)
	timeout := reason.Duration(20 * time.Second)
	for _, c := range []struct {
		cause        reason.Cause
		detail, hint string
	}{
		{reason.Cause{Reason: reason.NoServer, Timeout: timeout, Expires: ends}, "no DHCP server answered in 20s", "the lease stays valid until 15:04:05"},
		{reason.Cause{Reason: reason.NoServer, Timeout: timeout, Infinite: true}, "no DHCP server answered in 20s", "the lease stays valid"},
		{reason.Cause{Reason: reason.NoServer, Timeout: timeout}, "no DHCP server answered in 20s", "the search continues"},
		{reason.Cause{Reason: reason.NoServer}, "", ""}, // of another version: its own words are shown
		{reason.Cause{Reason: "of-the-future"}, "", ""},
		{reason.Cause{}, "", ""},
		{reason.Cause{Reason: reason.NoLease}, "", "'lessee renew eth0' gets a lease"},
		{
			reason.Cause{Reason: reason.SendFailed, Message: "REQUEST", Fault: &reason.Fault{During: "c0: send", Text: "network is down"}},
			"the REQUEST could not be sent: c0: send: network is down", "the search continues",
		},
	} {
		detail, hint := words.Say(words.English(), "eth0", &c.cause, style)
		if detail != c.detail || hint != c.hint {
			t.Errorf("%v: %q, %q", &c.cause, detail, hint)
		}
	}
	noDaemon := reason.Cause{Reason: reason.NoDaemon, Path: "/x"}
	if _, hint := words.Say(words.English(), "", &noDaemon, style); !strings.HasPrefix(hint, "start it with 'lessee daemon ADAPTER'") {
		t.Errorf("without an adapter: %q", hint)
	}
	if got := words.Fill("{colour} {of", "eth0", &noDaemon, style); got != "" {
		t.Errorf("an unknown field: %q", got)
	}
}
