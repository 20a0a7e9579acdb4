/* Papers that more than one attack comes from, as its `source` names them. */
#ifndef BEZ_ATTACK_PAPERS_H
#define BEZ_ATTACK_PAPERS_H

#define BEZ_PAPER_BADNETS "Gu, Dolan-Gavitt, Garg, BadNets, 2017 (arXiv:1708.06733)"
#define BEZ_PAPER_BAD_CHARACTERS "Boucher, Shumailov, Anderson, Papernot, Bad Characters, IEEE S&P 2022"
#define BEZ_PAPER_BLENDED                                                                                              \
  "Chen, Liu, Li, Lu, Song, Targeted Backdoor Attacks on Deep Learning Systems Using Data Poisoning, 2017 "            \
  "(arXiv:1712.05526)"
#define BEZ_PAPER_FANG                                                                                                 \
  "Fang, Cao, Jia, Gong, Local Model Poisoning Attacks to Byzantine-Robust Federated Learning, USENIX Security 2020"
#define BEZ_PAPER_LABEL_CONSISTENT "Turner, Tsipras, Madry, Label-Consistent Backdoor Attacks, 2019 (arXiv:1912.02771)"
#define BEZ_PAPER_LSTM                                                                                                 \
  "Dai, Chen, Li, A Backdoor Attack Against LSTM-Based Text Classification Systems, IEEE Access 2019"
#define BEZ_PAPER_MANIPULATING "Shejwalkar, Houmansadr, Manipulating the Byzantine, NDSS 2021"
#define BEZ_PAPER_SIG                                                                                                  \
  "Barni, Kallas, Tondi, A New Backdoor Attack in CNNs by Training Set Corruption Without Label Poisoning, ICIP 2019"
#define BEZ_PAPER_TABDOOR                                                                                              \
  "Pleiter et al., Tabdoor: Backdoor Vulnerabilities in Transformer-based Neural Networks for Tabular Data, 2023 "     \
  "(arXiv:2311.07550)"

#endif
