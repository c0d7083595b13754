package text

import (
	"fmt"
	"strconv"
	"time"

	"golang.org/x/text/language"
)

// word puts an argument into the printer's words.
func (p *Printer) word(a any) any {
	switch v := a.(type) {
	case time.Duration:
		return p.Span(v)
	case time.Time:
		return p.Moment(v)
	}
	return a
}

// Wait writes a short time span with its tenths of a second, as "1.5s".
func (p *Printer) Wait(d time.Duration) string {
	if d > time.Second && d < 10*time.Second && d%time.Second >= 50*time.Millisecond {
		return p.Decimal(d.Seconds(), 1) + "s"
	}
	return p.Span(d)
}

// Span writes a time span with its two largest units, as "1m58s" or "6d23h".
func (p *Printer) Span(d time.Duration) string {
	day, minute := "d", "m"
	if p.language == language.French {
		day, minute = "j", "min"
	}
	if d <= 0 {
		return "0s"
	}
	if d < time.Second {
		return strconv.FormatInt(max(1, d.Milliseconds()), 10) + "ms"
	}
	d = d.Round(time.Second)
	s := int64(d / time.Second)
	parts := []struct {
		unit string
		n    int64
	}{{day, s / 86400}, {"h", s / 3600 % 24}, {minute, s / 60 % 60}, {"s", s % 60}}
	for i, u := range parts {
		if u.n == 0 {
			continue
		}
		text := strconv.FormatInt(u.n, 10) + u.unit
		if i+1 < len(parts) && parts[i+1].n > 0 {
			text += strconv.FormatInt(parts[i+1].n, 10) + parts[i+1].unit
		}
		return text
	}
	return "0s"
}

// Decimal writes a number with that many decimals: "0.4", "0,4".
func (p *Printer) Decimal(x float64, decimals int) string {
	text := strconv.FormatFloat(x, 'f', decimals, 64)
	if p.language == language.French && decimals > 0 {
		i := len(text) - decimals - 1
		text = text[:i] + "," + text[i+1:]
	}
	return text
}

// timeLanguage is what a time is written in: that of LC_TIME.
func (p *Printer) timeLanguage() language.Tag { return spokenFor(p.times) }

// Moment writes a time to the second: "2026-01-02 15:04:05", "02/01/2026 15:04:05".
func (p *Printer) Moment(t time.Time) string {
	if p.timeLanguage() == language.French {
		return t.Format("02/01/2006 15:04:05")
	}
	return t.Format("2006-01-02 15:04:05")
}

// Clock writes the hour of a time, with the date where that is not today's. It
// is in now's zone.
func (p *Printer) Clock(t, now time.Time) string {
	t = t.In(now.Location())
	if t.YearDay() == now.YearDay() && t.Year() == now.Year() {
		return t.Format("15:04:05")
	}
	return p.Moment(t)
}

var (
	frenchDays   = [...]string{"dimanche", "lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi"}
	frenchMonths = [...]string{"janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"}
)

// LongMoment writes a time with its day in words, as the region has it: "Friday,
// January 2, 2026 3:04:05 PM" in the United States and where no region is known,
// "Friday, 2 January 2026 15:04:05" where English is spoken else, "vendredi 2
// janvier 2026 15:04:05" in French.
func (p *Printer) LongMoment(t time.Time) string {
	if p.timeLanguage() == language.French {
		day := strconv.Itoa(t.Day())
		if t.Day() == 1 {
			day = "1er"
		}
		return fmt.Sprintf("%s %s %s %d %s", frenchDays[t.Weekday()], day, frenchMonths[t.Month()-1], t.Year(), t.Format("15:04:05"))
	}
	if region, sure := p.times.Region(); sure == language.Exact && region.String() != "US" {
		return t.Format("Monday, 2 January 2006 15:04:05")
	}
	return t.Format("Monday, January 2, 2006 3:04:05 PM")
}
