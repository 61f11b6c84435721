import { LabIcon } from '@jupyterlab/ui-components';

/** A falling curve: what people watch. */
export const runsIcon = new LabIcon({
  name: 'amlnb:runs',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" width="16">
  <g class="jp-icon3" fill="none" stroke="#616161" stroke-width="2" stroke-linecap="round" stroke-linejoin="round">
    <path class="jp-icon-none" d="M4 4v16h16"/>
    <path class="jp-icon-none" d="M7 6c2 8 5 10 12 10.5"/>
    <circle cx="19" cy="16.5" r="1"/>
  </g>
</svg>`
});

/** Sent on its way. */
export const submitIcon = new LabIcon({
  name: 'amlnb:submit',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" width="16">
  <path class="jp-icon3" fill="#616161" d="M4 20l16-8L4 4v6l9 2-9 2z"/>
</svg>`
});
