package didit

import "strings"

// vocabulary are the words that an explanation of Didit's is let through with. Whatever is not here may be about a
// person, and shows as hiddenWord. It holds no number, and no word that tells one person from another.
const vocabulary = `
	a abandoned about above access account action active after again against all allowed already also an and another any api
	application applications archived are array as at attribute authenticated authentication authorization available awaiting
	bad balance base64 be because been before being below between bill billing blank blocked body boolean both but by
	call callback calls can cancelled cannot case change changed char character characters check choice choices
	client closed code column comment company complete completed configuration configured conflict console contact
	contain contains contract contracts cost country create created credential credentials credit credits currently
	data database date datetime days decimal decision declined default delete deleted deletion denied destination
	detail details dictionary did didit differ different digits disabled do document does don't done down duplicate duplicated
	each early either email empty enabled end endpoint enough enter environment erasure error errors event events exactly
	exceed exceeded exceeds exist exists expected expired expires fail failed failure feature features field fields file
	filed final finished first flagged flow for forbidden format found free from front full funds future get gateway given greater
	had has have header headers height host hours http https id identifier if image in inactive incorrect information
	input instruction insufficient integer internal invalid is isn't it item items its join json key keys kind know known
	label language large last later least length less limit limited limits list live locale long longer made make
	many match matches max maximum may manual media message metadata method min minimum minute minutes missing modified month
	more most multiple must name needs negative new next no node nodes non none nor not nothing null number object
	occurred of off offset on once one only open operation operational option or order organization other out over owner
	page pagination parameter parameters parse parsed part parts path pay payload payment pending per perform permission
	permissions phone plan please portrait positive possible present privacy processed processing progress properties property
	provide provided query quota quote quoted rate reached read really reason recharge record refused reject rejected
	report request requested requests required resource response restricted resub resubmit resubmitted result retain
	retention retry review reviewed reviews route same sandbox schema scope seconds secret see send server service session
	sessions set settings share shared short should sign signature signed single size skipped slash slow smaller so some
	specified start started state status still string subscribed subscription such sum support supported suspended
	temporarily than that the their them then there these they this those throttled ticket time timestamp to today token too top
	trailing transition try type unable unauthorized unavailable unexpected unique unknown unless unpaid unprocessable
	unsupported until up update updated upgrade uploaded upstream url usage use used user users uuid valid validation
	value values vendor verification verified verify version was we webhook week were what when where which while whitelisted
	whole width will with within without workflow workflows wrong year yes yet you your zero
`

// hiddenWord stands for words that are not in the vocabulary.
const hiddenWord = "…"

var knownWords = func() map[string]bool {
	m := map[string]bool{}
	for word := range strings.FieldsSeq(vocabulary) {
		m[word] = true
	}
	return m
}()

// knownOnly leaves the words of the vocabulary, masks and statuses, and what stands between two of them.
func knownOnly(s string) string {
	var out strings.Builder
	between, hiding := "", false
	for s != "" {
		n := wordLength(s)
		if n == 0 {
			between, s = between+s[:1], s[1:]
			continue
		}
		word := s[:n]
		switch known := word == maskedWord || allKnown(word); {
		case known:
			out.WriteString(between + word)
			hiding = false
		case !hiding:
			out.WriteString(between + hiddenWord)
			hiding = true
		}
		between, s = "", s[n:]
	}
	if hiding {
		return out.String()
	}
	return out.String() + between
}

// wordLength is that of the word at the beginning of s; 0 for a mark that separates words.
func wordLength(s string) int {
	if strings.HasPrefix(s, maskedWord) {
		return len(maskedWord)
	}
	if at := strings.IndexAny(s, separators); at >= 0 {
		return at
	}
	return len(s)
}

// separators may stand between words. All other marks belong to a word, so that nothing can be told in them.
const separators = " .,:;!?()[]{}/\\\"=&%<>|"

// knownParts is a code without the parts that are not in the vocabulary: contract_billing_suspended, or contract_….
func knownParts(code string) string {
	parts := strings.Split(code, "_")
	for i, part := range parts {
		if !allKnown(part) {
			parts[i] = hiddenWord
		}
	}
	return strings.Join(parts, "_")
}

// allKnown takes a name of several words, such as vendor_data, for its words.
func allKnown(word string) bool {
	for part := range strings.FieldsFuncSeq(strings.ToLower(word), func(r rune) bool { return r == '_' || r == '-' }) {
		if !knownWords[part] {
			return false
		}
	}
	return true
}
