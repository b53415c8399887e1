// What the pages do beyond links and forms. Each module looks for its own elements and does nothing without them.
import { startCopying } from "./copy.js";
import { startKeys } from "./keys.js";
import { startMenus } from "./menus.js";
import { followOldAddress } from "./old-addresses.js";
import { startSelection } from "./selection.js";
import { startSuggestions } from "./suggestions.js";
import { startSwapping } from "./swapping.js";
import { startTheme } from "./theme.js";
import { startTimes } from "./times.js";

followOldAddress();
startTheme();
startTimes();
startCopying();
startMenus();
startKeys();
startSwapping();
startSelection();
startSuggestions();
