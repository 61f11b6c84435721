/** Questions and notes on a page that has none of its own. */

import type { Trans } from '../core/host';

const PASSING_MS = 5000;

export class PageNotes {
  private readonly notes = element('div', 'amlnb-notes');

  /** @param place What they lie over; the page as a whole, or a part of one whose window may be elsewhere. */
  constructor(
    private readonly place: HTMLElement,
    private readonly trans: Trans
  ) {}

  /** Ask before something; `verb` stands on the button that does it, `safe` on the other one. */
  ask(question: string, verb: string, safe = this.trans('Cancel')): Promise<boolean> {
    const dialog = element('dialog', 'amlnb-question', question);
    const [no, yes] = [element('button', 'amlnb-button', safe), element('button', 'amlnb-button', verb)];
    const buttons = element('div', 'amlnb-row');
    buttons.append(no, yes);
    dialog.append(buttons);
    this.place.append(dialog);
    const before = document.activeElement;
    return new Promise(resolve => {
      const end = (answer: boolean): void => {
        dialog.remove();
        if (before instanceof HTMLElement) {
          before.focus();
        }
        resolve(answer);
      };
      no.addEventListener('click', () => end(false));
      yes.addEventListener('click', () => end(true));
      dialog.addEventListener('cancel', () => end(false));
      dialog.addEventListener('keydown', event => {
        if (event.key === 'Escape') {
          event.preventDefault();
          end(false);
        }
      });
      if (this.place === document.body) {
        dialog.showModal();
      } else {
        dialog.show();
        dialog.scrollIntoView({ block: 'nearest' });
      }
      no.focus();
    });
  }

  /** Tell something in passing; an error stays until it is closed. */
  tell(text: string, kind?: 'error'): void {
    const note = element('div', 'amlnb-note', text);
    note.setAttribute('role', kind === 'error' ? 'alert' : 'status');
    if (kind === 'error') {
      const close = element('button', '', '×');
      close.setAttribute('aria-label', this.trans('Close'));
      close.addEventListener('click', () => note.remove());
      note.append(close);
    } else {
      setTimeout(() => note.remove(), PASSING_MS);
    }
    this.notes.append(note);
    this.place.append(this.notes);
  }
}

function element<K extends keyof HTMLElementTagNameMap>(kind: K, name: string, text = ''): HTMLElementTagNameMap[K] {
  const made = document.createElement(kind);
  made.className = name;
  made.textContent = text;
  if (made instanceof HTMLButtonElement) {
    made.type = 'button';
  }
  return made;
}
