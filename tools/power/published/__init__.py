"""Published figures of energy, current and battery life, beside what the model says.

`data/` holds the cases, `cases` reads them, `values` computes the model's figure for each, and
`cli` shows both side by side.

Found as abstracts only, so that there is no case of their tables:

- S. Z. Khan et al., An Empirical Modelling for the Baseline Energy Consumption of an NB-IoT Radio
  Transceiver (measured on a BG96)
- A. Soerensen et al., Modelling and Experimental Validation for Battery Lifetime Estimation in
  NB-IoT and LTE-M, arXiv 2106.13286
- F. Michelinakis et al., Dissecting Energy Consumption of NB-IoT Devices Empirically, arXiv
  2004.07127
- P. Andres-Maldonado et al., Analytical Modeling and Experimental Validation of NB-IoT Device
  Energy Consumption

Looked for and not found at all: the tables of 3GPP TR 45.820 themselves, those of R. Ratasuk et
al., and M. Lauridsen et al., An Empirical NB-IoT Power Consumption Model.
"""
