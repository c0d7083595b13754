package text

// frenchNetwork has what 'lessee discover' and 'lessee trace' say.
func frenchNetwork() dictionary {
	return dictionary{
		"ask every DHCP server on the link for an offer": "demander une offre à chaque serveur DHCP du lien",
		"Ask every DHCP server on the adapter's link for an offer, show what they offer\n" +
			"and what is suspicious about it, and take none. The adapter need not be managed,\n" +
			"and a lease that it has stays as it is.\n\n" +
			"The exit status is 1 if no server answered.": "Demander une offre à chaque serveur DHCP du lien, montrer ce qu'ils offrent et\n" +
			"ce qui y est suspect, et n'en prendre aucune. Il n'est pas nécessaire que\n" +
			"l'adaptateur soit géré, et le bail qu'il a reste tel quel.\n\n" +
			"Le code de sortie est 1 si aucun serveur n'a répondu.",
		"how long to collect offers, 1s to 1h": "`TEMPS` de la collecte des offres, de 1s à 1h",
		"collecting offers":                    "collecte des offres",

		"LEASE":    "BAIL",
		"ROUTER":   "ROUTEUR",
		"DNS":      "DNS",
		"AFTER":    "APRÈS",
		"HARDWARE": "MATÉRIEL",

		"more than one server makes offers: %s":                                 "plus d'un serveur fait des offres : %s",
		"the addresses offered are of different subnets":                        "les adresses offertes sont de sous-réseaux différents",
		"one server's address comes from several hardware addresses":            "l'adresse d'un serveur vient de plusieurs adresses matérielles",
		"%s: the offer came through the relay agent %s":                         "%s : l'offre est passée par l'agent relais %s",
		"%s: the relay agent %s has a private address, and offers a public one": "%s : l'agent relais %s a une adresse privée, et en offre une publique",
		"%s: the relay agent %s is not in the subnet of %s":                     "%s : l'agent relais %s n'est pas dans le sous-réseau de %s",
		"%s: the packet came from %s, and through no relay agent":               "%s : le paquet est venu de %s, et sans agent relais",
		"%s: the server is not in the subnet of %s":                             "%s : le serveur n'est pas dans le sous-réseau de %s",
		"%s: the router %s is not in the subnet of %s":                          "%s : le routeur %s n'est pas dans le sous-réseau de %s",
		"%s: another server gave the present lease":                             "%s : un autre serveur a donné le bail présent",
		"%s: the offer cannot be used: %s":                                      "%s : l'offre ne peut pas être utilisée : %s",

		"show the DHCP exchanges of a link, live": "montrer les échanges DHCP d'un lien, en direct",
		"Show the DHCP messages that pass the adapter, of all clients and in both\n" +
			"directions, as they pass, until interrupted. The adapter need not be managed.\n\n" +
			"With -w they are kept in a file, too, that Wireshark and tcpdump open; a FILE\n" +
			"of - is the standard output, and then nothing else is written there.": "Montrer les messages DHCP qui passent par l'adaptateur, de tous les clients et\n" +
			"dans les deux sens, au fur et à mesure, jusqu'à une interruption. Il n'est pas\n" +
			"nécessaire que l'adaptateur soit géré.\n\n" +
			"Avec -w, ils sont aussi gardés dans un fichier qu'ouvrent Wireshark et tcpdump ;\n" +
			"le FICHIER - est la sortie standard, où rien d'autre n'est alors écrit.",
		"show the ARP packets of conflict detection, too":      "montrer aussi les paquets ARP de la détection de conflits",
		"`FILE` to write the packets to, in the pcapng format": "`FICHIER` où écrire les paquets, au format pcapng",
		"end after `N` packets":                                "finir après `N` paquets",
		"end after this time, such as 10s or 2m":               "finir après ce `TEMPS`, comme 10s ou 2m",

		"TIME":    "HEURE",
		"CLIENT":  "CLIENT",
		"MESSAGE": "MESSAGE",
		"XID":     "XID",
		"OPTIONS": "OPTIONS",

		"%s: %s":                   "%s : %s",
		"the frame is too short":   "la trame est trop courte",
		"via %s":                   "par %s",
		"has %s":                   "a %s",
		"server %s":                "serveur %s",
		"name %q":                  "nom %q",
		"probe: who has %s?":       "sonde : qui a %s ?",
		"announcement: %s is mine": "annonce : %s est à moi",
		"answer: %s is mine":       "réponse : %s est à moi",
	}
}
