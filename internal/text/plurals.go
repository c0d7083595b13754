package text

import (
	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
	"golang.org/x/text/message/catalog"
)

// plurals has the texts whose words depend on a number, in every language.
func plurals() map[string]map[language.Tag]catalog.Message {
	return map[string]map[language.Tag]catalog.Message{
		"%d events are missing: read faster": {
			language.English: plural.Selectf(1, "%d",
				"=1", "one event is missing: read faster",
				plural.Other, "%d events are missing: read faster"),
			language.French: plural.Selectf(1, "%d",
				plural.One, "il manque %d événement : lisez plus vite",
				plural.Other, "il manque %d événements : lisez plus vite"),
		},
		"%d frames are missing here": {
			language.English: plural.Selectf(1, "%d",
				"=1", "one frame is missing here",
				plural.Other, "%d frames are missing here"),
			language.French: plural.Selectf(1, "%d",
				plural.One, "il manque %d trame ici",
				plural.Other, "il manque %d trames ici"),
		},
		"(%d earlier facts: --verbose)": {
			language.English: plural.Selectf(1, "%d",
				"=1", "(one earlier fact: --verbose)",
				plural.Other, "(%d earlier facts: --verbose)"),
			language.French: plural.Selectf(1, "%d",
				plural.One, "(%d fait antérieur : --verbose)",
				plural.Other, "(%d faits antérieurs : --verbose)"),
		},
		"%d things were not as promised.": {
			language.English: plural.Selectf(1, "%d",
				"=1", "One thing was not as promised.",
				plural.Other, "%d things were not as promised."),
			language.French: plural.Selectf(1, "%d",
				plural.One, "%d chose n'était pas comme promis.",
				plural.Other, "%d choses n'étaient pas comme promis."),
		},
	}
}
