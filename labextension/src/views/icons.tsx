/** Small pictures for buttons; what they mean is told by the button. */

const PATHS = {
  cancel: 'M4 4h8v8H4z',
  again: 'M13 8a5 5 0 1 1-1.6-3.7M13 2v3h-3',
  copy: 'M6 6h7v7H6zM4 10H3V3h7v1',
  open: 'M9 3h4v4M13 3L8 8M11 9.5V13H3V5h3.5',
  table: 'M2.5 3.5h11v9h-11zM2.5 6.5h11M6.5 3.5v9',
  chart: 'M2.5 2.5v11h11M5 10l2.5-3 2 1.5L13 4',
  more: 'M3.5 8h.01M8 8h.01M12.5 8h.01',
  large: 'M9.5 2.5h4v4M6.5 13.5h-4v-4M13.5 2.5L9 7M2.5 13.5L7 9',
  small: 'M13 7H9V3M3 9h4v4M9 7l4.5-4.5M7 9l-4.5 4.5',
  pin: 'M6 2.5h4M6.7 2.5v4L5 9h6L9.3 6.500v-4M8 9v4.5',
  reset: 'M3 8a5 5 0 1 0 1.6-3.700M3 2v3h3',
  up: 'M4 10l4-4 4 4',
  down: 'M4 6l4 4 4-4',
  save: 'M8 2.500v7M5 7l3 3 3-3M3 13h10',
  warning: 'M8 2.500l6 11H2zM8 6.500v3.500M8 12v.01'
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg
      class="amlnb-icon"
      viewBox="0 0 16 16"
      width="16"
      height="16"
      fill="none"
      stroke="currentColor"
      stroke-width={name === 'more' ? 2.4 : 1.5}
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}

export interface IconButtonProps {
  name: IconName;
  label: string;
  onClick: () => void;
  /** For a button that is on or off. */
  pressed?: boolean;
  disabled?: boolean;
}

export function IconButton({ name, label, onClick, pressed, disabled }: IconButtonProps) {
  return (
    <button
      type="button"
      class="amlnb-icon-button"
      aria-label={label}
      title={label}
      aria-pressed={pressed}
      disabled={disabled}
      onClick={onClick}
    >
      <Icon name={name} />
    </button>
  );
}
