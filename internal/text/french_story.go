package text

import "sync"

// frenchStory has the words for the codes of a story: 'lessee why'.
func frenchStory() dictionary {
	return dictionary{
		"explain the present state of an adapter": "expliquer l'état présent d'un adaptateur",
		"Explain why an adapter is in its present state: what was tried, who answered,\n" +
			"what comes next, and what can be done about it.\n\n" +
			"The latest facts are shown, with --verbose all that the daemon remembers.": "Expliquer pourquoi un adaptateur est dans son état présent : ce qui a été tenté,\n" +
			"qui a répondu, ce qui vient ensuite, et ce qu'on peut y faire.\n\n" +
			"Les derniers faits sont montrés, avec --verbose tous ceux que le démon a gardés.",
		"all facts, and transactions": "tous les faits, et les transactions",

		"next:":                 "ensuite :",
		"what to do:":           "que faire :",
		"in %s: %s":             "dans %s : %s",
		"an unnamed server":     "un serveur sans nom",
		"%s, %d times since %s": "%s, %d fois depuis %s",

		// The verdict.
		"there is no adapter of this name":                                             "il n'y a pas d'adaptateur de ce nom",
		"there is no adapter of this name yet; it is managed once it comes":            "il n'y a pas encore d'adaptateur de ce nom ; il sera géré dès qu'il viendra",
		"nobody manages this adapter by DHCP":                                          "personne ne gère cet adaptateur par DHCP",
		"%s manages this adapter, not this daemon":                                     "%s gère cet adaptateur, pas ce démon",
		"this daemon cannot manage this adapter: %s":                                   "ce démon ne peut pas gérer cet adaptateur : %s",
		"the adapter is down":                                                          "l'adaptateur est arrêté",
		"no carrier":                                                                   "pas de porteuse",
		"no carrier since %s":                                                          "pas de porteuse depuis %s",
		"released: nothing is sent until somebody renews":                              "libéré : rien n'est envoyé jusqu'à un renouvellement",
		"the lease of %s was given back %s ago; nothing is sent until somebody renews": "le bail de %s a été rendu il y a %s ; rien n'est envoyé jusqu'à un renouvellement",
		"the lease of %s from %s is in use":                                            "le bail de %s donné par %s est utilisé",
		"the lease of %s is in use, and %s is asked to extend it":                      "le bail de %s est utilisé, et %s est prié de le prolonger",
		"the lease of %s is in use, and any server is asked to extend it":              "le bail de %s est utilisé, et tout serveur est prié de le prolonger",
		"the lease of %s is in use, and the servers are asked whether it holds here":   "le bail de %s est utilisé, et on demande aux serveurs s'il vaut ici",
		"the servers are asked whether the earlier lease holds here":                   "on demande aux serveurs si le bail antérieur vaut ici",
		"the servers are asked for a lease":                                            "on demande un bail aux serveurs",
		"no DHCP server answers":                                                       "aucun serveur DHCP ne répond",
		"what DHCP servers answer cannot be used: %s":                                  "ce que répondent les serveurs DHCP ne peut pas être utilisé : %s",
		"%s offered %s and does not confirm it":                                        "%s a offert %s et ne le confirme pas",
		"NAK from %s":                                                                  "NAK de %s",
		"NAK from %s: '%s'":                                                            "NAK de %s : '%s'",
		"%s is used by another host":                                                   "%s est utilisée par un autre hôte",
		"%s is used by another host, %s":                                               "%s est utilisée par un autre hôte, %s",
		"a pause before the search for a lease":                                        "une pause avant la recherche d'un bail",
		"no DHCP server answers; %s is used without one":                               "aucun serveur DHCP ne répond ; %s est utilisée sans serveur",

		"the network prefers to be used without IPv4":                            "le réseau préfère être utilisé sans IPv4",
		"the servers are asked for parameters; the address is the adapter's own": "on demande des paramètres aux serveurs ; l'adresse est celle de l'adaptateur",
		"the parameters are those of %s; the address is the adapter's own":       "les paramètres sont ceux de %s ; l'adresse est celle de l'adaptateur",

		// What happened.
		"managed by this daemon":           "géré par ce démon",
		"the link came up":                 "le lien est monté",
		"the link went down":               "le lien est tombé",
		"%s of %s from %s":                 "%s de %s par %s",
		"%s from %s":                       "%s de %s",
		"packet not used: %s":              "paquet écarté : %s",
		"%d packets not used since %s: %s": "%d paquets écartés depuis %s : %s",
		"lease of %s from %s obtained":     "bail de %s obtenu de %s",

		"lease of %s resumed, from before the daemon's start": "bail de %s repris, d'avant le démarrage du démon",
		"lease of %s renewed by %s":                           "bail de %s renouvelé par %s",
		"lease of %s given back to %s":                        "bail de %s rendu à %s",
		"lease of %s ran out":                                 "bail de %s expiré",
		"lease of %s taken away by its server":                "bail de %s retiré par son serveur",
		"%s taken without a server":                           "%s prise sans serveur",
		"%s claimed %s and was told that it is ours":          "%s a réclamé %s et a appris que c'est la nôtre",
		"back in the network of the lease of %s: %s answered": "de retour sur le réseau du bail de %s : %s a répondu",
		"parameters from %s":                                  "paramètres de %s",
		"%[1]d %[2]ss sent to %[3]s, no answer since %[4]s":   "%[1]d %[2]s envoyés à %[3]s, sans réponse depuis %[4]s",
		"%[1]d %[2]ss sent, no answer since %[3]s":            "%[1]d %[2]s envoyés, sans réponse depuis %[3]s",
		"%[1]s sent to %[2]s, no answer since %[3]s":          "%[1]s envoyé à %[2]s, sans réponse depuis %[3]s",
		"%[1]s sent, no answer since %[2]s":                   "%[1]s envoyé, sans réponse depuis %[2]s",
		"%[1]d %[2]ss sent to %[3]s since %[4]s":              "%[1]d %[2]s envoyés à %[3]s depuis %[4]s",
		"%[1]d %[2]ss sent since %[3]s":                       "%[1]d %[2]s envoyés depuis %[3]s",
		"%s sent to %s":                                       "%s envoyé à %s",

		// What comes next.
		"the search for a lease begins":                      "la recherche d'un bail commence",
		"the servers are asked whether the lease holds here": "on demande aux serveurs si le bail vaut ici",
		"%s is sent again":                                   "%s est renvoyé",
		"the server is asked to extend the lease (T1)":       "le serveur est prié de prolonger le bail (T1)",
		"any server is asked to extend the lease (T2)":       "tout serveur est prié de prolonger le bail (T2)",
		"the lease ends":                                     "le bail prend fin",
		"the timer %s":                                       "la minuterie %s",
		"nothing until the link comes up":                    "rien avant que le lien monte",
		"nothing until 'lessee renew %s'":                    "rien avant 'lessee renew %s'",
		"nothing until the adapter comes":                    "rien avant que l'adaptateur vienne",
		"nothing: the lease has no end":                      "rien : le bail n'a pas de fin",

		// What can be done.
		"'lessee renew %s' gets a lease":                           "'lessee renew %s' obtient un bail",
		"'lessee up %s' begins to manage it":                       "'lessee up %s' commence à le gérer",
		"do it there; or stop it there first, then 'lessee up %s'": "faites-le là-bas ; ou arrêtez-le d'abord là-bas, puis 'lessee up %s'",
		"'lessee list' lists the adapters":                         "'lessee list' liste les adaptateurs",
		"'ip link set %s up' sets it up":                           "'ip link set %s up' le démarre",
		"check the cable, or what the adapter is connected to":     "vérifiez le câble, ou ce à quoi l'adaptateur est relié",
		"is it the right network? 'lessee discover %[1]s' asks all its servers, 'lessee trace %[1]s' shows the packets": "" +
			"est-ce le bon réseau ? 'lessee discover %[1]s' interroge tous ses serveurs, 'lessee trace %[1]s' montre les paquets",
		"the server's log has the reason: often its pool, or an entry for this client": "" +
			"le journal du serveur en a la raison : souvent sa plage d'adresses, ou une entrée pour ce client",
		"to change to another server now: 'lessee release %[1]s', then 'lessee renew %[1]s'": "" +
			"pour changer de serveur maintenant : 'lessee release %[1]s', puis 'lessee renew %[1]s'",
		"'lessee discover %s' shows whether servers disagree on this network": "'lessee discover %s' montre si des serveurs se contredisent sur ce réseau",
		"'lessee trace %s' shows what arrives":                                "'lessee trace %s' montre ce qui arrive",
		"find the other host, or have the server leave this address out":      "trouvez l'autre hôte, ou retirez cette adresse au serveur",
	}
}

// frenchRejections has the reasons not to use a packet, by the names that package
// dhcp4 gives them.
var frenchRejections = sync.OnceValue(func() dictionary {
	return dictionary{
		"too-short":                 "message trop court",
		"bad-op":                    "op n'est ni requête ni réponse",
		"hardware-address-too-long": "adresse matérielle de plus de 16 octets",
		"bad-magic-cookie":          "le \"magic cookie\" est faux",
		"option-truncated":          "une option dépasse la fin de son champ",
		"bad-overload":              "option 52 fausse",
		"bad-message-type":          "type de message faux",
		"malformed":                 "message mal formé",
		"not-reply":                 "n'est pas une réponse",
		"foreign-hardware-address":  "adresse matérielle d'un autre",
		"not-awaited":               "aucune réponse n'est attendue",
		"foreign-xid":               "transaction d'un autre",
		"client-identifier":         "l'identifiant de client n'est pas le nôtre",
		"no-message-type":           "sans type de message",
		"message-type":              "n'est pas un message d'un serveur à un client",
		"unexpected":                "le type de message ne convient pas à l'état",
		"no-server-identifier":      "sans identifiant de serveur",
		"bad-server-identifier":     "identifiant de serveur faux",
		"other-server":              "d'un autre serveur",
		"bad-address":               "l'adresse louée n'est pas celle d'un hôte",
		"other-address":             "l'adresse confirmée n'est pas celle offerte",
		"no-lease-time":             "sans durée de bail",
		"lease-too-short":           "durée de bail trop courte",
		"lease-over":                "bail expiré à son arrivée",
		"bad-subnet-mask":           "masque de sous-réseau faux",
		"force-renew":               "FORCERENEW n'a pas été convenu",
		"unauthenticated":           "non authentifié",
		"replayed":                  "déjà envoyé auparavant",
		"bad-digest":                "l'authentification a échoué",
	}
})
