package theme

// palette is the colours of a theme: "#rrggbb", or "0" to "15" for the
// terminal's own sixteen. "" is the terminal's default.
type palette struct {
	name                  string
	text, dim, rule       string
	accent, host          string
	good, info, warn, bad string
	mark                  string
	safe, write           string // methods that only read, and those that change
	light                 *palette
}

// palettes is the themes by name. The terminal's default background is kept in
// all of them. "colorblind" uses the colours of Okabe and Ito, told apart by
// people with any of the common colour-vision deficiencies, and has a variant
// for light backgrounds.
var palettes = []palette{
	{
		name: "dark",
		text: "#d8dee9", dim: "#8790a3", rule: "#4c566a",
		accent: "#88c0d0", host: "#a9c4e6",
		good: "#a3be8c", info: "#81a1c1", warn: "#ebcb8b", bad: "#f0717d",
		mark: "#e6a2dc",
		safe: "#8fbcbb", write: "#d8a657",
	},
	{
		name: "light",
		text: "#24292f", dim: "#5f6a76", rule: "#b3bcc6",
		accent: "#0550ae", host: "#1b4f91",
		good: "#116329", info: "#0969da", warn: "#7d4e00", bad: "#b3141d",
		mark: "#8f2ea8",
		safe: "#0f6674", write: "#8a4600",
	},
	{
		name: "16",
		dim:  "8", rule: "8",
		accent: "6", host: "4",
		good: "2", info: "6", warn: "3", bad: "1",
		mark: "5",
		safe: "6", write: "3",
	},
	{
		name: "colorblind",
		text: "#e0e0e0", dim: "#9a9a9a", rule: "#5a5a5a",
		accent: "#56b4e9", host: "#a6d4f2",
		good: "#56b4e9", info: "#9ccbe8", warn: "#f0e442", bad: "#e69f00",
		mark: "#cc79a7",
		safe: "#56b4e9", write: "#e69f00",
		light: &palette{
			text: "#202020", dim: "#606060", rule: "#b0b0b0",
			accent: "#0072b2", host: "#0a5384",
			good: "#0072b2", info: "#2f6f9a", warn: "#7a6a00", bad: "#b34700",
			mark: "#9c3f74",
			safe: "#0072b2", write: "#b34700",
		},
	},
}
