/** One of several, with its title before it. */

export interface ChoiceProps {
  title: string;
  value: string;
  options: readonly { value: string; label: string }[];
  onChoose: (value: string) => void;
}

export function Choice({ title, value, options, onChoose }: ChoiceProps) {
  return (
    <label class="amlnb-check">
      {title}
      <select value={value} onChange={event => onChoose(event.currentTarget.value)}>
        {options.map(option => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
    </label>
  );
}
