import { LabIcon } from '@jupyterlab/ui-components';

/** A falling curve: what people watch. */
export const runsIcon = new LabIcon({
  name: 'amlnb:runs',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" width="16">
  <path class="jp-icon3 jp-icon-selectable" fill="#616161" d="M3 3h2v16h16v2H3z"/>
  <path class="jp-icon3 jp-icon-selectable" fill="#616161"
    d="M8.9 4.8c1.2 6 3.6 9.2 11.2 9.6v2.1C10.700 16.100 8.200 11.600 6.900 5.200z"/>
</svg>`
});

/** Sent on its way. */
export const submitIcon = new LabIcon({
  name: 'amlnb:submit',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" width="16">
  <path class="jp-icon3" fill="#616161" d="M4 20l16-8L4 4v6l9 2-9 2z"/>
</svg>`
});
