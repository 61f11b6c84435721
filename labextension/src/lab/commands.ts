/** Names of our commands, as keyboard shortcuts, menus and other extensions use them. */

export { OPEN } from './host';

export const SHOW_SIDEBAR = 'amlnb:show-sidebar';
export const SHOW_RUNS = 'amlnb:show-runs';
export const SUBMIT_CELL = 'amlnb:submit-cell';
export const SUBMIT_FILE = 'amlnb:submit-file';
